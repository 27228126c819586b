#include "lab/services.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/control_socket.hpp"

namespace penstock::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(NginxConfiguration, listens_on_each_port_and_names_the_host) {
  Host host;
  host.name = "rs1";
  host.ports = {80, 8080};
  const std::string both = nginx_configuration(host, true);
  EXPECT_THAT(both, HasSubstr("listen 80 "));
  EXPECT_THAT(both, HasSubstr("listen [::]:8080 "));
  EXPECT_THAT(both, HasSubstr("add_header X-Lab-Host rs1 always;"));
  EXPECT_THAT(nginx_configuration(host, false), Not(HasSubstr("[::]")));
}

constexpr std::string_view header = "Num       RefCount Protocol Flags    Type St Inode Path\n";
constexpr std::string_view bound_only =
    "0000000000000000: 00000002 00000000 00000000 0002 01 101 /run/penstock/notify\n";
constexpr std::string_view foreign = "0000000000000000: 00000002 00000000 00010000 0001 01 102 /run/mysqld.sock\n";
constexpr std::string_view unnamed = "0000000000000000: 00000003 00000000 00000000 0001 03 103\n";
constexpr std::string_view ours =
    "0000000000000000: 00000002 00000000 00010000 0001 01 104 /run/penstock/4026532.sock\n";

TEST(FindControlSocket, takes_the_listening_socket_of_penstock) {
  const std::string others =
      std::string(header) + std::string(bound_only) + std::string(foreign) + std::string(unnamed);
  EXPECT_EQ(find_control_socket(others), std::nullopt);
  EXPECT_EQ(find_control_socket(others + std::string(ours)), "/run/penstock/4026532.sock");
}

}  // namespace
}  // namespace penstock::lab
