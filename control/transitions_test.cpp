#include "control/transitions.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "datapath/core/states.hpp"

namespace penstock::control {
namespace {

u32 tcp(const Settings& settings, Direction direction, TcpState from, TcpEvent event) {
  return next_state(machine_of(settings, Machine::tcp).next[static_cast<u32>(direction)][static_cast<u32>(event)],
                    static_cast<u32>(from));
}

u32 sctp(const Settings& settings, Direction direction, SctpState from, SctpEvent event) {
  return next_state(machine_of(settings, Machine::sctp).next[static_cast<u32>(direction)][static_cast<u32>(event)],
                    static_cast<u32>(from));
}

struct TcpStep {
  Direction direction;
  TcpEvent event;
  TcpState then;
};

void walk(const Settings& settings, const std::vector<TcpStep>& steps) {
  TcpState state = TcpState::none;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    state = static_cast<TcpState>(tcp(settings, steps[i].direction, state, steps[i].event));
    ASSERT_EQ(state, steps[i].then) << "step " << i;
  }
}

using enum Direction;

// The sessions of tests/golden/FINDINGS.md, 9 to 11 and 14.
TEST(transitions, tcp_through_routing_and_tunnels_is_seen_from_one_side) {
  Settings settings{};
  write_tcp_transitions(settings, TcpTable::normal);
  walk(settings, {{input_only, TcpEvent::syn, TcpState::syn_recv},
                  {input_only, TcpEvent::rst, TcpState::syn_recv},
                  {input_only, TcpEvent::ack, TcpState::established},
                  {input_only, TcpEvent::syn, TcpState::established},
                  {input_only, TcpEvent::fin, TcpState::fin_wait},
                  {input_only, TcpEvent::ack, TcpState::fin_wait},
                  {input_only, TcpEvent::rst, TcpState::close},
                  {input_only, TcpEvent::syn, TcpState::syn_recv}});
}

TEST(transitions, tcp_through_nat_is_seen_from_both_sides) {
  Settings settings{};
  write_tcp_transitions(settings, TcpTable::normal);
  walk(settings, {{input, TcpEvent::syn, TcpState::syn_recv},
                  {output, TcpEvent::syn, TcpState::syn_recv},
                  {input, TcpEvent::ack, TcpState::established},
                  {input, TcpEvent::fin, TcpState::close_wait},
                  {output, TcpEvent::fin, TcpState::time_wait}});
  walk(settings, {{input, TcpEvent::syn, TcpState::syn_recv}, {output, TcpEvent::rst, TcpState::close}});
  walk(settings, {{input, TcpEvent::none, TcpState::close}});
}

TEST(transitions, secure_tcp_does_not_believe_a_first_ack) {
  Settings settings{};
  write_tcp_transitions(settings, TcpTable::secure);
  walk(settings, {{input_only, TcpEvent::syn, TcpState::synack}, {input_only, TcpEvent::ack, TcpState::established}});
  walk(settings, {{input, TcpEvent::syn, TcpState::syn_recv},
                  {input, TcpEvent::ack, TcpState::syn_recv},
                  {output, TcpEvent::syn, TcpState::synack},
                  {output, TcpEvent::ack, TcpState::established}});
  write_tcp_transitions(settings, TcpTable::normal);
  walk(settings, {{input_only, TcpEvent::syn, TcpState::syn_recv}});
}

struct SctpStep {
  Direction direction;
  SctpEvent event;
  SctpState then;
};

void walk(const Settings& settings, const std::vector<SctpStep>& steps) {
  SctpState state = SctpState::none;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    state = static_cast<SctpState>(sctp(settings, steps[i].direction, state, steps[i].event));
    ASSERT_EQ(state, steps[i].then) << "step " << i;
  }
}

// sctp-dr-normal, sctp-nat-normal, sctp-nat-abort.
TEST(transitions, sctp_goes_as_recorded) {
  Settings settings{};
  write_sctp_transitions(settings);
  walk(settings, std::vector<SctpStep>{{input_only, SctpEvent::init, SctpState::init1},
                                       {input_only, SctpEvent::cookie_echo, SctpState::established},
                                       {input_only, SctpEvent::data, SctpState::established},
                                       {input_only, SctpEvent::shutdown, SctpState::shutdown_received},
                                       {input_only, SctpEvent::shutdown_complete, SctpState::closed}});
  walk(settings, std::vector<SctpStep>{{input, SctpEvent::init, SctpState::init1},
                                       {output, SctpEvent::init_ack, SctpState::cookie_sent},
                                       {input, SctpEvent::cookie_echo, SctpState::cookie_replied},
                                       {output, SctpEvent::cookie_ack, SctpState::established},
                                       {input, SctpEvent::shutdown, SctpState::shutdown_received},
                                       {output, SctpEvent::shutdown_ack, SctpState::shutdown_ack_sent},
                                       {input, SctpEvent::shutdown_complete, SctpState::closed}});
  walk(settings, std::vector<SctpStep>{{input, SctpEvent::init, SctpState::init1},
                                       {output, SctpEvent::abort, SctpState::rejected}});
}

}  // namespace
}  // namespace penstock::control
