#include "tests/hops/tcp_options.hpp"

#include <gmock/gmock.h>

namespace penstock::hops {
namespace {

using testing::ElementsAre;

std::string port_in_words(std::uint16_t port) { return "p" + std::to_string(port); }

TEST(TcpOptions, are_said_in_words_without_what_changes_from_run_to_run) {
  EXPECT_THAT(tcp_options_in_words("020405b40402080a010203040000000001030307", port_in_words),
              ElementsAre("mss 1460", "sackOK", "timestamps", "wscale"));
  EXPECT_THAT(tcp_options_in_words("fe089c41c000020a", port_in_words), ElementsAre("TOA 192.0.2.10:p40001"));
  EXPECT_THAT(tcp_options_in_words("fe149c4120010db8000200000000000000000010", port_in_words),
              ElementsAre("TOA [2001:db8:2::10]:p40001"));
  EXPECT_THAT(tcp_options_in_words("1e04beef", port_in_words), ElementsAre("option 30"));
}

TEST(TcpOptions, end_where_they_are_cut_or_say_nonsense) {
  EXPECT_THAT(tcp_options_in_words("04020304", port_in_words), ElementsAre("sackOK"));    // longer than what is there
  EXPECT_THAT(tcp_options_in_words("04020300", port_in_words), ElementsAre("sackOK"));    // without length
  EXPECT_THAT(tcp_options_in_words("0402000402", port_in_words), ElementsAre("sackOK"));  // behind the end of options
  EXPECT_THAT(tcp_options_in_words("", port_in_words), ElementsAre());
}

}  // namespace
}  // namespace penstock::hops
