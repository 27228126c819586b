// TCP as IPVS's INPUT-ONLY table has it (net/netfilter/ipvs/ip_vs_proto_tcp.c), written out once more, for people's eyes.
#include "datapath/core/protocol_tcp.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace penstock {
namespace {

const char* const states = "NO ES SS SR FW TW CL CW LA LI SA";

// "." leaves the state as it is.
const struct Row {
  const char* event;
  const char* next;
} input_only[] = {
    {"SYN", "SR .  ES .  SR SR SR SR SR SR SR"},   //
    {"FIN", "CL FW .  TW .  .  .  .  .  .  TW"},   //
    {"ACK", "ES .  .  ES .  .  .  .  CL .  ES"},   //
    {"RST", "CL CL CL .  CL CL .  CL .  .  CL"},   //
    {"none", "CL CL CL CL CL CL CL CL CL CL CL"},  //
};

std::vector<std::string> words(const char* line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

TcpState state_called(const std::string& name) {
  const auto names = words(states);
  // In the kernel's order, which is that of the table's columns.
  for (u32 i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<TcpState>(i);
  }
  ADD_FAILURE() << "no state " << name;
  return TcpState::none;
}

const char* event_of(u8 flags) {
  if (flags & 0x04) return "RST";
  if (flags & 0x02) return "SYN";
  if (flags & 0x01) return "FIN";
  if (flags & 0x10) return "ACK";
  return "none";
}

const char* row_of(const std::string& event) {
  for (const Row& row : input_only) {
    if (row.event == event) return row.next;
  }
  return "";
}

TEST(ProtocolTcp, every_state_and_every_combination_of_flags_goes_where_ipvs_goes) {
  for (u32 state = 0; state < tcp_states; ++state) {
    for (u32 flags = 0; flags < 256; ++flags) {
      const auto next = words(row_of(event_of(static_cast<u8>(flags))));
      ASSERT_EQ(next.size(), tcp_states);
      const TcpState from = static_cast<TcpState>(state);
      const TcpState expected = next[state] == "." ? from : state_called(next[state]);
      ASSERT_EQ(next_tcp_state(from, static_cast<u8>(flags)), expected)
          << words(states)[state] << " " << event_of(static_cast<u8>(flags)) << " flags " << flags;
    }
  }
}

TEST(ProtocolTcp, active_are_established_and_those_on_the_way_there) {
  for (const auto& name : words(states)) {
    const bool active = name == "ES" || name == "SS" || name == "SR" || name == "SA";
    EXPECT_EQ(is_active(state_called(name)), active) << name;
    EXPECT_EQ(is_half_open(state_called(name)), active && name != "ES") << name;
  }
}

}  // namespace
}  // namespace penstock
