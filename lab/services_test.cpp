#include "lab/services.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace penstock::lab
