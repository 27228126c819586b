// The state machines of TCP and SCTP as the packet path reads them: events out of flags and chunks, and each transition of every
// table, by packets that go through the director. The tables are those of tests/packets/settings.hpp, written from IPVS's.
#include "datapath/core/states.hpp"

#include <gtest/gtest.h>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

TEST(States, the_first_of_rst_syn_fin_ack_counts) {
  for (u32 flags = 0; flags < 256; ++flags) {
    const TcpEvent expected = flags & rst   ? TcpEvent::rst
                              : flags & syn ? TcpEvent::syn
                              : flags & fin ? TcpEvent::fin
                              : flags & ack ? TcpEvent::ack
                                            : TcpEvent::none;
    EXPECT_EQ(tcp_event(static_cast<u8>(flags)), static_cast<u8>(expected)) << flags;
  }
}

// One connection, put into any state, and a packet of it in a direction.
struct Session : World {
  Session(Method method, u8 protocol) : from(protocol == 6 ? u16{6000} : u16{7000}) {
    const u32 rs = add_rs(11, method);
    director.add_service({vip, 80, protocol}, {rs});
    settings().conn_reuse_mode = 0;
    slot = rs;
  }

  // The connection's record, in the table.
  Connection& begin() {
    for (ConnectionBucket& bucket : tables().connections)
      for (Connection& record : bucket.records)
        if (record.word != 0 && record.key.role == Role::request) return record;
    throw std::runtime_error("no connection");
  }

  u32 after(u32 state, const Bytes& frame, u32 link) {
    Connection& record = begin();
    ServerLoad& load = director.load(slot);
    record.word = (record.word & ~0xfffffffffULL) | static_cast<u64>(state) << 32 | (now + 100 * hz);
    load.active = counts_as_active(record) ? 1 : 0;
    load.inactive = 1 - load.active;
    EXPECT_NE(send(frame, link).verdict, Verdict::pass);
    const u32 next = static_cast<u32>(state_bits(record.word));
    EXPECT_EQ(load.active, counts_as_active(record) ? 1 : 0) << "from " << state << " to " << next;
    EXPECT_EQ(load.active + load.inactive, 1);
    const u32 timeout = record.key.protocol == 6 ? machine_of(settings(), Machine::tcp).timeout[next]
                                                 : machine_of(settings(), Machine::sctp).timeout[next];
    EXPECT_EQ(static_cast<u32>(record.word) - now, timeout) << "in state " << next;
    return next;
  }

  u16 from;
  u32 slot = 0;
};

u32 next_in(const char* names, const char* row, u32 state) {
  return static_cast<u32>(packed_row(names, row) >> (state * 4) & 0xf);
}

// 0 input, 1 output, 2 input-only.
struct Side {
  std::size_t direction;
  Method method;
  u32 link;
};
const Side sides[] = {{0, Method::nat, outer_link}, {1, Method::nat, inner_link}, {2, Method::direct, outer_link}};

Frame ends_of_way(std::size_t direction) { return direction == 1 ? from_rs(11).ipv4(rip(11), client) : in4(); }

TEST(States, tcp_goes_where_ipvs_goes_from_every_state_by_every_combination_of_flags) {
  for (const auto& [name, table] : {std::pair{"normal", &tcp_normal}, std::pair{"secure", &tcp_secure}}) {
    for (const Side& way : sides) {
      Session session(way.method, 6);
      write_tcp_table(session.settings(), *table);
      (void)session.send(in4().tcp(6000, 80, syn));
      for (u32 state = 0; state < tcp_states; ++state) {
        for (u32 flags = 0; flags < 32; ++flags) {
          const Frame ends = ends_of_way(way.direction);
          const Frame frame = way.direction == 1 ? ends.tcp(80, 6000, static_cast<u8>(flags))
                                                 : ends.tcp(6000, 80, static_cast<u8>(flags));
          const auto event = tcp_event(static_cast<u8>(flags));
          const u32 expected = next_in(tcp_state_names, (*table)[way.direction][event], state);
          ASSERT_EQ(session.after(state, frame, way.link), expected)
              << name << " direction " << way.direction << " state " << state << " flags " << flags;
        }
      }
    }
  }
}

TEST(States, sctp_goes_where_ipvs_goes_from_every_state_by_every_chunk) {
  // Columns of settings.hpp's rows, by a chunk's type.
  const std::pair<u8, std::size_t> chunks[] = {{0, 0}, {1, 1},  {2, 2}, {10, 3}, {11, 4}, {7, 5},
                                               {8, 6}, {14, 7}, {9, 8}, {6, 9},  {3, 0},  {200, 0}};
  for (const Side& way : sides) {
    Session session(way.method, 132);
    (void)session.send(in4().sctp(7000, 80, 1));
    for (u32 state = 0; state < sctp_states; ++state) {
      for (const auto& [chunk, event] : chunks) {
        const Frame ends = ends_of_way(way.direction);
        const Frame frame = way.direction == 1 ? ends.sctp(80, 7000, chunk) : ends.sctp(7000, 80, chunk);
        const u32 expected = next_in(sctp_state_names, sctp_normal[way.direction][event], state);
        ASSERT_EQ(session.after(state, frame, way.link), expected)
            << "direction " << way.direction << " state " << state << " chunk " << int{chunk};
      }
    }
  }
}

TEST(States, what_may_begin_a_connection) {
  struct Case {
    Frame frame;
    bool begins;
    bool sloppily;
  };
  const Case cases[] = {
      {in4().tcp(1, 80, syn), true, true},         {in4().tcp(1, 80, syn | ack), true, true},
      {in4().tcp(1, 80, ack), false, true},        {in4().tcp(1, 80, 0), false, true},
      {in4().tcp(1, 80, fin | ack), false, true},  {in4().tcp(1, 80, rst), false, false},
      {in4().tcp(1, 80, syn | rst), false, false}, {in4().sctp(1, 80, 1), true, true},
      {in4().sctp(1, 80, 0), false, true},         {in4().sctp(1, 80, 10), false, true},
      {in4().sctp(1, 80, 6), false, false},        {in4().udp(1, 80), true, true},
      {in4().tcp(20, 80, syn), false, false},
  };
  for (const Case& test : cases) {
    for (const bool sloppy : {false, true}) {
      World world;
      world.settings().sloppy_tcp = sloppy;
      world.settings().sloppy_sctp = sloppy;
      const u32 rs = world.add_rs(11, Method::direct);
      for (const u8 protocol : {u8{6}, u8{17}, u8{132}}) world.director.add_service({vip, 80, protocol}, {rs});
      const bool begins = sloppy ? test.sloppily : test.begins;
      EXPECT_EQ(world.send(test.frame).verdict, begins ? Verdict::redirect : Verdict::pass)
          << "case " << &test - cases << (sloppy ? " sloppy" : "");
      EXPECT_EQ(world.counted(Reason::pass_no_connection), begins ? 0U : 1U);
    }
  }
}

}  // namespace
}  // namespace penstock
