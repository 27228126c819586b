// FTP through nat, the packet path's half: which segments go to the daemon, and connections of which a control connection told.
#include "datapath/core/ftp.hpp"

#include <gtest/gtest.h>

#include "tests/packets/nat_frames.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 ftp = 21;

View bytes_of(const std::string& text) { return {reinterpret_cast<const u8*>(text.data()), text.size()}; }

struct Control : World, NatFrames {
  explicit Control(Family of, Method method = Method::nat, u16 port = ftp) : NatFrames{of, 11} {
    director.add_local_address(inner_address);
    director.add_local_address(inner_address6);
    rs = is_ipv4() ? add_rs(11, method, {.port = port}) : add_rs6(11, method, {.port = port});
    director.add_service({is_ipv4() ? vip : vip6, port, 6}, {rs});
    (void)send(in().tcp(1000, port, syn));
    (void)send(in().tcp(1000, port, ack));
    service_port = port;
  }

  PacketResult command(const std::string& text) {
    return send(in().tcp(1000, service_port, ack | psh).payload(bytes_of(text)));
  }
  PacketResult said(const std::string& text) {
    return reply(answer().tcp(service_port, 1000, ack | psh).payload(bytes_of(text)));
  }

  // Why the frame that waits for the daemon does; none, or more than one, is a failure. It is taken away.
  Punt taken() {
    std::vector<PuntedFrame*> ready;
    for (PuntedFrame& row : tables().punted)
      if (row.word == punt_ready) ready.push_back(&row);
    EXPECT_EQ(ready.size(), 1U);
    if (ready.empty()) return Punt::early_fragment;
    for (PuntedFrame* row : ready) row->word = punt_free;
    return ready[0]->why;
  }
  void expect_taken(const PacketResult& result, Punt why) {
    EXPECT_EQ(result.verdict, Verdict::drop);
    EXPECT_EQ(taken(), why);
  }
  void expect_nothing_taken() {
    for (const PuntedFrame& row : tables().punted) EXPECT_EQ(row.word, punt_free);
  }

  // A data connection to the real server's `port`, from any port of the client, as the daemon makes it.
  void expect_data(u16 port) {
    FrameBuffer none({});
    NativePlatform p(tables(), none, now, outer_link);
    Work& work = *p.work();
    FlowKey key = record(1000).key;
    key.client_port = {};
    key.vip_port = big(port);
    prepare_insertion(work.insertion, key, hash_of(p.config().hash_key, key), rs, 1);
    work.insertion.content.traits = static_cast<u8>(Method::nat) | trait_controlled | trait_own_port;
    work.insertion.content.local_port = big(port);
    work.insertion.state = static_cast<u32>(TcpState::listen);
    work.insertion.timeout = 120 * hz;
    save(p, work);
    note_expected(p, work.insertion.timeout);
  }

  u32 rs = 0;
  u16 service_port = 0;
};

class Ftp : public ::testing::TestWithParam<Family> {};
INSTANTIATE_TEST_SUITE_P(Families, Ftp, ::testing::Values(Family::ipv4, Family::ipv6));

TEST_P(Ftp, what_says_where_data_goes_is_the_daemons_and_counts_when_that_sends_it) {
  for (const char* text : {"PORT 1,2", "port 1,2", "EPRT |", "ePrT |", "EPRT"}) {
    Control world(GetParam());
    const u64 before = world.tables().counters[world.rs].in_packets;
    world.expect_taken(world.command(text), Punt::ftp_text);
    world.expect_counted(Reason::ftp_text);
    EXPECT_EQ(world.tables().counters[world.rs].in_packets, before);
  }
  for (const char* text : {"227 Entering", "229 Ent", "229 "}) {
    Control world(GetParam());
    world.expect_taken(world.said(text), Punt::ftp_text);
    world.expect_counted(Reason::ftp_text);
    EXPECT_EQ(world.tables().counters[world.rs].out_packets, 0U);
  }
}

TEST_P(Ftp, everything_else_goes_its_way) {
  Control world(GetParam());
  for (const char* text : {"", "USER x", "PASV\r\n", "EPSV\r\n", "POR", "PORK 1", " PORT 1", "227 ", "RETR PORT"})
    EXPECT_EQ(world.command(text).interface, inner_link) << text;
  for (const char* text : {"", "220 hello", "227", "227-", "226 done", "PORT 1", "229"})
    EXPECT_EQ(world.said(text).interface, outer_link) << text;
  world.expect_counted(std::nullopt);
  world.expect_nothing_taken();
}

// Ethernet pads what is short, with what was in the memory.
TEST(FtpPadding, is_no_text) {
  Control world(Family::ipv4);
  Bytes padded = world.in().tcp(1000, ftp, ack).padded_to(60).bytes();
  std::memcpy(padded.data() + 54, "PORT 1", 6);
  EXPECT_EQ(world.send(padded).interface, inner_link);
  world.expect_nothing_taken();
}

TEST_P(Ftp, tcp_options_come_before_the_text) {
  Control world(GetParam());
  const std::string text = std::string(12, '\1') + "PORT 1,2,3,4,5,6\r\n";
  world.expect_taken(world.send(world.in().tcp(1000, ftp, ack, {.data_offset = 8}).payload(bytes_of(text))),
                     Punt::ftp_text);
}

TEST_P(Ftp, other_ports_and_methods_are_not_listened_to) {
  Control other(GetParam(), Method::nat, 2121);
  EXPECT_EQ(other.command("PORT 1,2").interface, inner_link);
  EXPECT_EQ(other.said("227 x").interface, outer_link);
  other.expect_nothing_taken();
  for (const Method method : {Method::direct, Method::tunnel, Method::fullnat}) {
    Control world(GetParam(), method);
    EXPECT_EQ(world.command("PORT 1,2").interface, inner_link);
    world.expect_nothing_taken();
  }
}

TEST_P(Ftp, only_established_connections_are_listened_to) {
  Control world(GetParam());
  (void)world.send(world.in().tcp(1000, ftp, fin | ack));
  EXPECT_EQ(world.command("PORT 1,2").interface, inner_link);
  EXPECT_EQ(world.said("227 x").interface, outer_link);
  world.expect_nothing_taken();
}

TEST_P(Ftp, what_the_kernel_must_deliver_or_resolve_is_not_kept_from_it) {
  for (const NextHopState state : {NextHopState::local, NextHopState::unresolved}) {
    Control world(GetParam());
    world.tables().next_hops[world.tables().servers[world.rs].route.next_hop].state = state;
    EXPECT_EQ(world.command("PORT 1,2").verdict, Verdict::pass);
    world.expect_nothing_taken();
  }
}

TEST_P(Ftp, nothing_from_the_server_overtakes_an_announcement) {
  Control world(GetParam());
  world.expect_taken(world.said("227 x"), Punt::ftp_text);
  world.expect_taken(world.said("200 next"), Punt::ftp_follower);
  world.expect_taken(world.said(""), Punt::ftp_follower);
  world.expect_taken(world.said("227 x"), Punt::ftp_text);
  EXPECT_EQ(world.command("NOOP").interface, inner_link);
  world.expect_nothing_taken();
}

TEST_P(Ftp, the_daemons_run_sends_what_it_has_read) {
  Control world(GetParam());
  const Frame text = world.answer().tcp(ftp, 1000, ack).payload(bytes_of("227 x"));
  FrameBuffer buffer(text.bytes());
  NativePlatform platform(world.tables(), buffer, world.now, inner_link, 0, NativePlatform::Run::after_waiting);
  EXPECT_EQ(balance(platform), Verdict::redirect);
  EXPECT_EQ(hex(Bytes(buffer.frame().begin(), buffer.frame().end())),
            hex(world.back().tcp(ftp, 1000, ack).payload(bytes_of("227 x")).bytes()));
}

TEST_P(Ftp, expected_data_comes_from_any_port_goes_to_the_control_connections_server_and_is_no_new_connection) {
  Control world(GetParam());
  const u64 connections = world.tables().counters[world.rs].connections;
  world.expect_data(30000);
  expect_frame(world.send(world.in().tcp(4000, 30000, syn)), world.there().tcp(4000, 30000, syn), inner_link);
  expect_frame(world.reply(world.answer().tcp(30000, 4000, syn | ack)), world.back().tcp(30000, 4000, syn | ack),
               outer_link);
  expect_frame(world.send(world.in().tcp(4000, 30000, ack).payload(3)), world.there().tcp(4000, 30000, ack).payload(3),
               inner_link);
  EXPECT_EQ(world.tables().counters[world.rs].connections, connections);
  EXPECT_EQ(state_of(world.record(4000).word), static_cast<u32>(TcpState::established));
  EXPECT_EQ(world.tables().loads[world.rs].active, 2);
  world.expect_order();
}

TEST_P(Ftp, expected_data_comes_once) {
  Control world(GetParam());
  world.expect_data(30000);
  EXPECT_EQ(world.send(world.in().tcp(4000, 30000, syn)).interface, inner_link);
  EXPECT_EQ(world.send(world.in().tcp(4001, 30000, syn)).verdict, Verdict::pass);
  EXPECT_EQ(world.counted(Reason::pass_no_service), 1U);
}

TEST_P(Ftp, expected_data_is_expected_for_its_time) {
  Control world(GetParam());
  world.expect_data(30000);
  world.pass_seconds(119);
  world.expect_data(30001);
  world.pass_seconds(1);
  EXPECT_EQ(world.send(world.in().tcp(4000, 30000, syn)).verdict, Verdict::pass);
  EXPECT_EQ(world.send(world.in().tcp(4001, 30001, syn)).interface, inner_link);
}

// IPVS binds the helper to port 21, whatever service the connection was made by.
TEST(FtpServices, of_a_mark_and_of_all_ports_have_expected_data_too) {
  for (const bool by_mark : {true, false}) {
    Control world(Family::ipv4);
    world.settings().ftp_services = 0;
    if (by_mark) world.director.add_service({.vip = vip, .mark = 1}, {world.rs});
    if (by_mark) world.director.add_mark({.mark = 1, .family = Family::ipv4, .destination_ports = {{ftp, ftp}}});
    if (!by_mark) world.director.add_service({vip, 0, 6}, {world.rs});
    world.expect_data(30000);
    expect_frame(world.send(world.in().tcp(4000, 30000, syn)), world.there().tcp(4000, 30000, syn), inner_link);
  }
}

TEST_P(Ftp, data_of_a_server_that_is_gone_is_dropped) {
  Control world(GetParam());
  world.expect_data(30000);
  world.director.server(world.rs).route.available = 0;
  EXPECT_EQ(world.send(world.in().tcp(4000, 30000, syn)).verdict, Verdict::drop);
  world.expect_counted(Reason::server_removed);
}

// IPVS: is_new_conn_expected.
TEST_P(Ftp, a_data_connection_that_is_over_is_not_scheduled_anew) {
  Control world(GetParam());
  world.expect_data(30000);
  (void)world.send(world.in().tcp(4000, 30000, syn));
  (void)world.send(world.in().tcp(4000, 30000, ack));
  (void)world.send(world.in().tcp(4000, 30000, rst));
  ASSERT_EQ(state_of(world.record(4000).word), static_cast<u32>(TcpState::close));
  expect_frame(world.send(world.in().tcp(4000, 30000, syn)), world.there().tcp(4000, 30000, syn), inner_link);
  EXPECT_EQ(state_of(world.record(4000).word), static_cast<u32>(TcpState::syn_recv));
}

// IPVS: ip_vs_schedule, ip_vs_leave.
TEST_P(Ftp, data_that_nobody_expects_is_the_kernels_without_persistence) {
  Control world(GetParam());
  EXPECT_EQ(world.send(world.in().tcp(4000, 30000, syn)).verdict, Verdict::pass);
  world.expect_counted(Reason::pass_no_service);
}

// IPVS: ip_vs_sched_persist.
TEST(FtpPersistence, data_keeps_its_port_and_the_control_connection_gets_the_servers) {
  for (const Method method : {Method::nat, Method::fullnat}) {
    World world;
    world.director.add_local_address(inner_address);
    const u32 rs = world.add_rs(11, method, {.port = 2121});
    world.director.add_service({vip, ftp, 6}, {rs}, {.flags = service_persistent, .persistence_ticks = 300 * hz});
    const auto port_at_server = [](const PacketResult& result) {
      EXPECT_EQ(result.interface, inner_link);
      return result.frame.at(36) << 8 | result.frame.at(37);
    };
    EXPECT_EQ(port_at_server(world.send(in4().tcp(1000, ftp, syn))), 2121);
    EXPECT_EQ(port_at_server(world.send(in4().tcp(1001, 30000, syn))), 30000);
    EXPECT_EQ(port_at_server(world.send(in4().tcp(1001, 30000, ack))), 30000);
    if (method == Method::nat)
      expect_frame(world.reply(from_rs(11).ipv4(rip(11), client).tcp(30000, 1001, ack)),
                   to_client().ipv4(vip, client, {.ttl = 63}).tcp(30000, 1001, ack), outer_link);
    world.expect_order();
  }
}

}  // namespace
}  // namespace penstock
