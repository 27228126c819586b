#include "control/punted.hpp"

#include <gmock/gmock.h>

#include "tests/packets/daemon_world.hpp"

namespace penstock::control {
namespace {

using namespace packets;

constexpr u16 dns = 53;
constexpr u32 inner_mtu = 1500;

class PuntedTest : public testing::Test, protected World {
 protected:
  PuntedTest() : World(with_a_row_for_the_daemon()) {}

  u32 serve(Method method, u32 mtu = inner_mtu) {
    rs_ = add_rs(2, method, {.next_hop = add_hop(2, mtu)});
    director.add_service({vip, dns, 17}, {rs_});
    return rs_;
  }

  // What is sent for the rows that wait now.
  std::vector<Sent> advance() {
    collector_.sent.clear();
    punted_.advance();
    return collector_.sent;
  }

  [[nodiscard]] std::size_t rows_taken() {
    return static_cast<std::size_t>(
        std::ranges::count_if(tables().punted, [](const PuntedFrame& row) { return row.word != punt_free; }));
  }
  void expect_dropped(const PacketResult& result) { EXPECT_EQ(result.verdict, Verdict::drop); }
  void expect_counted_in(u64 packets, u64 bytes) {
    ServerCounters sum{};
    for (u32 cpu = 0; cpu < 2; ++cpu) {
      sum.in_packets += tables().counters[rs_ * 2 + cpu].in_packets;
      sum.in_bytes += tables().counters[rs_ * 2 + cpu].in_bytes;
      sum.connections += tables().counters[rs_ * 2 + cpu].connections;
    }
    EXPECT_EQ(sum.in_packets, packets);
    EXPECT_EQ(sum.in_bytes, bytes);
    EXPECT_EQ(sum.connections, 1U);
  }

  u32 rs_ = 0;
  std::string words_;
  Collector collector_;
  WorldClock clock_{now};
  Punted punted_{tables(),
                 clock_,
                 collector_,
                 {[](const std::string&) {}, [this](const std::string& line) { words_ += line + "\n"; }}};
};

Frame query(std::size_t bytes, const IpFields& ip = {.id = 5}) { return in4(ip).udp(40000, dns).payload(bytes); }
Frame nat_query(std::size_t bytes) {
  return to_rs(2).ipv4(client, rip(2), {.ttl = 63, .id = 5}).udp(40000, dns).payload(bytes);
}
Frame direct_query(std::size_t bytes) {
  return to_rs(2).ipv4(client, vip, {.ttl = 63, .id = 5}).udp(40000, dns).payload(bytes);
}

using All = std::vector<Sent>;

TEST_F(PuntedTest, nothing_waits_and_nothing_is_sent) {
  EXPECT_TRUE(advance().empty());
  EXPECT_EQ(rows_taken(), 0U);
}

TEST_F(PuntedTest, packet_over_the_next_hops_mtu_leaves_in_fragments) {
  serve(Method::nat, 1400);
  expect_dropped(send(query(1420)));
  EXPECT_EQ(rows_taken(), 1U);
  EXPECT_EQ(advance(),
            (All{{inner_link, nat_query(1420).fragment(0, 1376)}, {inner_link, nat_query(1420).fragment(1376, 52)}}));
  EXPECT_EQ(rows_taken(), 0U);
  expect_counted_in(1, 1448);
  EXPECT_TRUE(advance().empty());
  expect_order();
}

TEST_F(PuntedTest, checksum_that_is_owed_is_completed_first) {
  serve(Method::nat, 1400);
  expect_dropped(send(query(1420)));
  PuntedFrame& row = *std::ranges::find(tables().punted, punt_ready, &PuntedFrame::word);
  Bytes pseudo_header(row.bytes + 26, row.bytes + 34);
  append32(pseudo_header, 17);
  append32(pseudo_header, 1428);
  const u16 sum = static_cast<u16>(0xffff - naive_checksum(pseudo_header));
  row.bytes[40] = static_cast<u8>(sum >> 8);
  row.bytes[41] = static_cast<u8>(sum);
  row.owes_checksum = 1;
  EXPECT_EQ(advance(),
            (All{{inner_link, nat_query(1420).fragment(0, 1376)}, {inner_link, nat_query(1420).fragment(1376, 52)}}));
}

TEST_F(PuntedTest, established_direct_connection_knows_its_hops_mtu_too) {
  serve(Method::direct, 1400);
  EXPECT_EQ(send(query(100)).verdict, Verdict::redirect);
  expect_dropped(send(query(1420)));
  EXPECT_EQ(advance(), (All{{inner_link, direct_query(1420).fragment(0, 1376)},
                            {inner_link, direct_query(1420).fragment(1376, 52)}}));
  expect_counted_in(2, 128 + 1448);
}

TEST_F(PuntedTest, tunnels_outer_packet_is_fragmented) {
  settings().pmtu_disc = 0;
  serve(Method::tunnel);
  expect_dropped(send(query(1460)));
  const auto frames = advance();
  ASSERT_EQ(frames.size(), 2U);
  Bytes inner;
  for (const Sent& part : frames) {
    EXPECT_LE(part.frame.size(), 14 + inner_mtu);
    EXPECT_EQ(part.interface, inner_link);
    append(inner, packets::View(part.frame).subspan(34));
  }
  EXPECT_EQ(inner, in4({.ttl = 63, .id = 5}).udp(40000, dns).payload(1460).packet());
  expect_counted_in(1, 1488);
}

TEST_F(PuntedTest, reply_over_the_clients_links_mtu_is_fragmented) {
  serve(Method::nat);
  EXPECT_EQ(send(query(100)).verdict, Verdict::redirect);
  tables().interfaces[outer_link].mtu = 1300;
  const Frame answer = from_rs(2).ipv4(rip(2), client, {.id = 9}).udp(dns, 40000).payload(1400);
  expect_dropped(reply(answer));
  const Frame expected = to_client().ipv4(vip, client, {.ttl = 63, .id = 9}).udp(dns, 40000).payload(1400);
  EXPECT_EQ(advance(), (All{{outer_link, expected.fragment(0, 1280)}, {outer_link, expected.fragment(1280, 128)}}));
  const ServerCounters& counters = tables().counters[rs_ * 2];
  EXPECT_EQ(counters.out_packets, 1U);
  EXPECT_EQ(counters.out_bytes, 1428U);
  EXPECT_EQ(tables().counters[rs_ * 2 + 1].out_packets, 0U);
}

// An IPv4 server's answers to an IPv6 client: what filled its link is 20 bytes longer, or 28 if it is a fragment.
TEST_F(PuntedTest, reply_that_grows_over_the_clients_links_mtu_is_fragmented) {
  const std::string lip = "10.0.0.9";
  director.add_local_address(lip);
  rs_ = add_rs(2, Method::fullnat);
  director.add_service({vip6, dns, 17}, {rs_});
  const Bytes asked = send(in6().udp(40000, dns)).frame;
  const u16 port = static_cast<u16>(asked.at(34) << 8 | asked.at(35));
  const auto answer = [&](u16 id, std::size_t bytes) {
    return from_rs(2).ipv4(rip(2), lip, {.id = id}).udp(dns, port).payload(bytes);
  };
  const auto expected = [](u16 id, std::size_t bytes) {
    return to_client().ipv6(vip6, client6, {.ttl = 63, .id = id}).udp(dns, 40000).payload(bytes);
  };
  expect_dropped(reply(answer(0, 1472)));
  All sent = advance();
  for (Sent& part : sent) std::fill_n(part.frame.begin() + 58, 4, u8{0});  // the datagram's new name
  EXPECT_EQ(sent, (All{{outer_link, expected(0, 1472).fragment(0, 1448)},
                       {outer_link, expected(0, 1472).fragment(1448, 32)}}));
  expect_dropped(reply(answer(7, 2000).fragment(0, 1480)));
  EXPECT_EQ(advance(), (All{{outer_link, expected(7, 2000).fragment(0, 1448)},
                            {outer_link, expected(7, 2000).fragment(1448, 32)}}));
  EXPECT_EQ(reply(answer(7, 2000).fragment(1480, 528)).frame, expected(7, 2000).fragment(1480, 528).bytes());
}

TEST_F(PuntedTest, tag_of_the_way_in_is_taken_off_and_that_of_the_way_out_put_on) {
  const u32 hop = director.add_next_hop(
      {.source = inner_mac, .destination = rs_mac(2), .interface = inner_link, .mtu = 1400, .vlan = 7});
  rs_ = add_rs(2, Method::nat, {.next_hop = hop});
  director.add_service({vip, dns, 17}, {rs_});
  expect_dropped(send(from_client().vlan(5).ipv4(client, vip, {.id = 5}).udp(40000, dns).payload(1420)));
  const Frame expected = to_rs(2).vlan(7).ipv4(client, rip(2), {.ttl = 63, .id = 5}).udp(40000, dns).payload(1420);
  EXPECT_EQ(advance(), (All{{inner_link, expected.fragment(0, 1376)}, {inner_link, expected.fragment(1376, 52)}}));
}

TEST_F(PuntedTest, fragment_before_the_first_waits_for_it) {
  serve(Method::nat);
  expect_dropped(send(query(3000).fragment(1400, 1400)));
  expect_dropped(send(query(3000).fragment(2800, 208)));
  EXPECT_TRUE(advance().empty());
  EXPECT_EQ(rows_taken(), 2U);
  expect_frame(send(query(3000).fragment(0, 1400)), nat_query(3000).fragment(0, 1400), inner_link);
  EXPECT_THAT(advance(), testing::UnorderedElementsAre(Sent{inner_link, nat_query(3000).fragment(1400, 1400)},
                                                       Sent{inner_link, nat_query(3000).fragment(2800, 208)}));
  EXPECT_EQ(rows_taken(), 0U);
  expect_counted_in(1, 3028);
  EXPECT_GT(tables().counters[rs_ * 2 + 1].in_bytes, 0U) << "in the daemon's own row";
  expect_order();
}

TEST_F(PuntedTest, ipv6_fragment_before_the_first_waits_for_it) {
  rs_ = add_rs6(2, Method::direct);
  director.add_service({vip6, dns, 17}, {rs_});
  const Frame datagram = in6({.id = 5}).udp(40000, dns).payload(1500);
  const Frame expected = to_rs(2).ipv6(client6, vip6, {.ttl = 63, .id = 5}).udp(40000, dns).payload(1500);
  expect_dropped(send(datagram.fragment(800, 708)));
  EXPECT_TRUE(advance().empty());
  expect_frame(send(datagram.fragment(0, 800)), expected.fragment(0, 800), inner_link);
  EXPECT_EQ(advance(), (All{{inner_link, expected.fragment(800, 708)}}));
  expect_counted_in(1, 1548);
}

TEST_F(PuntedTest, tagged_fragment_before_the_first_waits_for_it) {
  serve(Method::nat);
  const Frame tagged = from_client().vlan(5).ipv4(client, vip, {.id = 5}).udp(40000, dns).payload(3000);
  expect_dropped(send(tagged.fragment(1400, 1608)));
  EXPECT_TRUE(advance().empty());
  EXPECT_EQ(rows_taken(), 1U);
  EXPECT_EQ(send(tagged.fragment(0, 1400)).verdict, Verdict::redirect);
  EXPECT_EQ(advance().size(), 2U) << "of 1608 bytes";
}

TEST_F(PuntedTest, fragment_that_waited_is_cut_to_the_next_hops_mtu) {
  serve(Method::nat, 1000);
  expect_dropped(send(query(3000).fragment(1400, 1400)));
  send(query(3000).fragment(0, 800));
  EXPECT_THAT(advance(), testing::UnorderedElementsAre(Sent{inner_link, nat_query(3000).fragment(1400, 976)},
                                                       Sent{inner_link, nat_query(3000).fragment(2376, 424)}));
}

TEST_F(PuntedTest, fragment_whose_first_does_not_come_is_lost_after_half_a_minute) {
  serve(Method::nat);
  expect_dropped(send(query(3000).fragment(1400, 1608)));
  now += 30 * hz - 1;
  EXPECT_TRUE(advance().empty());
  EXPECT_EQ(rows_taken(), 1U);
  now += 1;
  EXPECT_TRUE(advance().empty());
  EXPECT_EQ(rows_taken(), 0U);
}

TEST_F(PuntedTest, fragment_for_the_kernel_is_lost_and_that_is_told_once) {
  serve(Method::nat);
  for (const u16 id : {u16{5}, u16{6}}) {
    const Frame datagram = in4({.id = id}).udp(40000, 9999).payload(3000);  // no service
    expect_dropped(send(datagram.fragment(1400, 1608)));
    EXPECT_EQ(send(datagram.fragment(0, 1400)).verdict, Verdict::pass);
    EXPECT_TRUE(advance().empty());
    EXPECT_EQ(rows_taken(), 0U);
  }
  EXPECT_THAT(words_, testing::HasSubstr("lost"));
  EXPECT_EQ(std::ranges::count(words_, '\n'), 1);
}

TEST_F(PuntedTest, waiting_fragment_with_df_that_is_too_long_is_dropped_and_counted) {
  serve(Method::nat, 1000);
  const auto with_df = [](std::size_t first, std::size_t count) {
    return query(3000, {.id = 5, .dont_fragment = true}).fragment(first, count);
  };
  expect_dropped(send(with_df(1400, 1400)));
  EXPECT_EQ(send(with_df(0, 800)).verdict, Verdict::redirect);
  EXPECT_TRUE(advance().empty());
  EXPECT_EQ(rows_taken(), 0U);
  EXPECT_EQ(tables().reasons[1].packets[static_cast<u32>(Reason::too_big)], 1U);
}

TEST_F(PuntedTest, claims_of_a_dead_cpu_are_freed_and_no_others) {
  PuntedFrame& dead = tables().punted[3];
  PuntedFrame& busy = tables().punted[4];
  dead.word = punt_claimed;
  for (int i = 0; i < 4; ++i) {
    busy.word = punt_claimed;
    advance();
    busy.word = punt_free;
    advance();
    now += hz / 4;
  }
  busy.word = punt_claimed;
  advance();
  EXPECT_EQ(dead.word, punt_claimed) << "a second is not too much";
  now += 1;
  advance();
  EXPECT_EQ(dead.word, punt_free);
  EXPECT_EQ(busy.word, punt_claimed);
}

TEST_F(PuntedTest, waiting_fragments_leave_rows_for_others) {
  serve(Method::nat);
  const Bytes frame = query(3000).fragment(1400, 1608);
  for (u32 i = 0; i < punted_max; ++i) {
    PuntedFrame& row = tables().punted[i];
    row.length = static_cast<u32>(frame.size());
    row.interface = outer_link;
    row.ticks = now - (i * 7) % punted_max;  // all different
    row.why = Punt::early_fragment;
    std::ranges::copy(frame, row.bytes);
    row.word = punt_ready;
  }
  EXPECT_TRUE(advance().empty());
  EXPECT_EQ(rows_taken(), waiting_fragments_max);
  for (const PuntedFrame& row : tables().punted)
    EXPECT_EQ(row.word == punt_ready, now - row.ticks < waiting_fragments_max) << "the oldest are lost";
}

TEST_F(PuntedTest, rows_of_rubbish_are_freed) {
  serve(Method::nat);
  for (const u32 length : {0U, 1U, 13U, 14U, 40U, punted_bytes_max, punted_bytes_max + 1, ~0U}) {
    for (const Punt why : {Punt::early_fragment, Punt::fragmentation}) {
      PuntedFrame& row = tables().punted[0];
      row.length = length;
      row.interface = ~0U;
      row.ticks = now;
      row.why = why;
      std::ranges::fill(row.bytes, 0x45);
      row.word = punt_ready;
      EXPECT_TRUE(advance().empty());
      EXPECT_EQ(rows_taken(), 0U);
    }
  }
}

}  // namespace
}  // namespace penstock::control
