// FTP through nat from the segment that arrives to the one that leaves: what the packet path hands over, the daemon reads and sends.
#include "control/ftp.hpp"

#include <gmock/gmock.h>

#include "control/connection_list.hpp"
#include "control/punted.hpp"
#include "tests/packets/daemon_world.hpp"
#include "tests/packets/nat_frames.hpp"

namespace penstock::control {
namespace {

using namespace packets;

constexpr u16 ftp = 21;
constexpr u16 control_port = 1000;  // the client's
constexpr u16 pasv_port = 117 << 8 | 48;

const std::string pasv = "227 Entering Passive Mode (10,0,0,2,117,48).\r\n";
const std::string pasv_heard = "227 Entering Passive Mode (192,0,2,1,117,48).\r\n";  // longer by one

using All = std::vector<Sent>;

packets::View bytes_of(const std::string& text) { return {reinterpret_cast<const u8*>(text.data()), text.size()}; }

class FtpTest : public testing::Test, protected World, protected NatFrames {
 protected:
  FtpTest() : World(with_a_row_for_the_daemon()), NatFrames{.server = 2} {}

  // A real server of either family, and a control connection to it.
  void converse(Family of = Family::ipv4, u16 server_port = ftp) {
    family = of;
    port_ = server_port;
    rs_ = is_ipv4() ? add_rs(2, Method::nat, {.port = server_port}) : add_rs6(2, Method::nat, {.port = server_port});
    director.add_service({is_ipv4() ? vip : vip6, ftp, 6}, {rs_});
    (void)send(in().tcp(control_port, ftp, syn));
    (void)reply(answer().tcp(port_, control_port, syn | ack));
    (void)send(in().tcp(control_port, ftp, ack));
  }

  // What the server says on the control connection, and how the client gets it.
  [[nodiscard]] Frame saying(const std::string& text, u32 sequence = 200) const {
    return answer()
        .tcp(port_, control_port, ack | psh, {.sequence = sequence, .acknowledgement = 9})
        .payload(bytes_of(text));
  }
  [[nodiscard]] Frame hearing(const std::string& text, u32 sequence = 200) const {
    return back()
        .tcp(ftp, control_port, ack | psh, {.sequence = sequence, .acknowledgement = 9})
        .payload(bytes_of(text));
  }
  // What the client says.
  [[nodiscard]] Frame asking(const std::string& text, u32 acknowledgement = 200) const {
    return in().tcp(control_port, ftp, ack | psh, {.acknowledgement = acknowledgement}).payload(bytes_of(text));
  }
  [[nodiscard]] Frame asked(const std::string& text, u32 acknowledgement = 200) const {
    return there().tcp(control_port, port_, ack | psh, {.acknowledgement = acknowledgement}).payload(bytes_of(text));
  }

  All advance() {
    collector_.sent.clear();
    punted_.advance();
    return collector_.sent;
  }
  All said(const Frame& frame) {
    EXPECT_EQ(reply(frame).verdict, Verdict::drop);
    return advance();
  }
  All told(const Frame& frame) {
    EXPECT_EQ(send(frame).verdict, Verdict::drop);
    return advance();
  }

  std::set<std::string> listed() {
    std::set<std::string> lines;
    list_connections(tables(), now, [&](const api::ConnectionView& view) {
      lines.insert(view.state + " " + to_string(view.client) + " " + to_string(view.vip) + " " +
                   to_string(view.server) + " " + std::to_string(view.expires_s));
    });
    return lines;
  }

  u16 port_ = ftp;
  u32 rs_ = 0;
  Collector collector_;
  WorldClock clock_{now};
  Punted punted_{tables(), clock_, collector_};
};

TEST_F(FtpTest, pasv_answer_names_the_virtual_address_and_the_client_is_expected_there) {
  converse();
  EXPECT_EQ(said(saying(pasv)), (All{{outer_link, hearing(pasv_heard)}}));
  EXPECT_THAT(listed(), testing::UnorderedElementsAre("LISTEN 198.51.100.7:0 192.0.2.1:30000 10.0.0.2:30000 120",
                                                      "ESTABLISHED 198.51.100.7:1000 192.0.2.1:21 10.0.0.2:21 900"));
  expect_frame(send(in().tcp(4000, pasv_port, syn)), there().tcp(4000, pasv_port, syn), inner_link);
  expect_frame(reply(answer().tcp(pasv_port, 4000, syn | ack)), back().tcp(pasv_port, 4000, syn | ack), outer_link);
  EXPECT_THAT(listed(), testing::UnorderedElementsAre("SYN_RECV 198.51.100.7:4000 192.0.2.1:30000 10.0.0.2:30000 60",
                                                      "ESTABLISHED 198.51.100.7:1000 192.0.2.1:21 10.0.0.2:21 900"));
  EXPECT_EQ(tables().loads[rs_].active, 2);
  expect_order();
}

TEST_F(FtpTest, what_follows_a_longer_answer_is_shifted_and_what_is_acknowledged_of_it_shifted_back) {
  converse();
  const u32 behind = 200 + static_cast<u32>(pasv.size());
  (void)said(saying(pasv));
  expect_frame(send(asking("NOOP\r\n", behind + 1)), asked("NOOP\r\n", behind), inner_link);
  expect_frame(reply(saying("200 ok\r\n", behind)), hearing("200 ok\r\n", behind + 1), outer_link);
  EXPECT_EQ(said(saying(pasv, behind + 8)), (All{{outer_link, hearing(pasv_heard, behind + 9)}}));
  expect_frame(send(asking("NOOP\r\n", behind + 9)), asked("NOOP\r\n", behind + 8), inner_link);
  const u32 end = behind + 8 + static_cast<u32>(pasv.size());
  expect_frame(send(asking("NOOP\r\n", end + 2)), asked("NOOP\r\n", end), inner_link);
  expect_frame(reply(saying("200 ok\r\n", end)), hearing("200 ok\r\n", end + 2), outer_link);
  expect_order();
}

TEST_F(FtpTest, an_answer_that_comes_again_is_rewritten_again_and_shifts_nothing_more) {
  converse();
  const u32 behind = 200 + static_cast<u32>(pasv.size());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(said(saying(pasv)), (All{{outer_link, hearing(pasv_heard)}}));
  expect_frame(reply(saying("200 ok\r\n", behind)), hearing("200 ok\r\n", behind + 1), outer_link);
  EXPECT_EQ(records(Role::shift), 1U);
  EXPECT_EQ(tables().loads[rs_].active, 2);
  expect_order();
}

TEST_F(FtpTest, numbers_go_round_within_a_text) {
  converse();
  const u32 begin = ~u32{10};
  (void)said(saying(pasv, begin));
  const u32 behind = begin + static_cast<u32>(pasv.size());
  expect_frame(reply(saying("200 ok\r\n", behind)), hearing("200 ok\r\n", behind + 1), outer_link);
  expect_frame(send(asking("NOOP\r\n", behind + 1)), asked("NOOP\r\n", behind), inner_link);
  expect_frame(send(asking("NOOP\r\n", begin)), asked("NOOP\r\n", begin), inner_link);
}

TEST_F(FtpTest, epsv_answer_keeps_its_length_and_needs_no_shift) {
  for (const Family each : {Family::ipv4, Family::ipv6}) {
    converse(each);
    const std::string epsv = "229 Entering Extended Passive Mode (|||30000|)\r\n";
    EXPECT_EQ(said(saying(epsv)), (All{{outer_link, hearing(epsv)}}));
    EXPECT_EQ(records(Role::shift), 0U);
    expect_frame(send(in().tcp(4000, 30000, syn)), there().tcp(4000, 30000, syn), inner_link);
    expect_frame(reply(answer().tcp(30000, 4000, syn | ack)), back().tcp(30000, 4000, syn | ack), outer_link);
  }
  expect_order();
}

TEST_F(FtpTest, epsv_answer_that_names_an_address_shrinks) {
  converse(Family::ipv6);
  const std::string epsv = "229 Extended (|2|fd00::2|30000|)\r\n";
  const std::string heard = "229 Extended (|||30000|)\r\n";
  EXPECT_EQ(said(saying(epsv)), (All{{outer_link, hearing(heard)}}));
  expect_frame(reply(saying("200 ok\r\n", 200 + static_cast<u32>(epsv.size()))),
               hearing("200 ok\r\n", 200 + static_cast<u32>(heard.size())), outer_link);
}

// As behind a router that translates: data goes where the control connection goes.
TEST_F(FtpTest, an_address_in_the_answer_that_is_not_the_servers_doesnt_matter) {
  converse();
  (void)said(saying("227 (203,0,113,255,117,48)\r\n"));
  expect_frame(send(in().tcp(4000, pasv_port, syn)), there().tcp(4000, pasv_port, syn), inner_link);
}

TEST_F(FtpTest, port_command_lets_the_server_come_from_its_data_port_as_the_virtual_one) {
  converse();
  const std::string port = "PORT 198,51,100,7,156,64\r\n";
  EXPECT_EQ(told(asking(port)), (All{{inner_link, asked(port)}}));
  EXPECT_THAT(listed(), testing::Contains("LISTEN 198.51.100.7:40000 192.0.2.1:20 10.0.0.2:20 120"));
  expect_frame(reply(answer().tcp(20, 40000, syn)), back().tcp(20, 40000, syn), outer_link);
  expect_frame(send(in().tcp(40000, 20, syn | ack)), there().tcp(40000, 20, syn | ack), inner_link);
  expect_frame(reply(answer().tcp(20, 40000, ack)), back().tcp(20, 40000, ack), outer_link);
  EXPECT_THAT(listed(), testing::Contains("ESTABLISHED 198.51.100.7:40000 192.0.2.1:20 10.0.0.2:20 900"));
  EXPECT_EQ(records(Role::shift), 0U);
  expect_order();
}

TEST_F(FtpTest, a_server_at_another_port_comes_from_the_port_below_it) {
  converse(Family::ipv4, 2121);
  (void)told(asking("PORT 198,51,100,7,156,64\r\n"));
  EXPECT_THAT(listed(), testing::Contains("LISTEN 198.51.100.7:40000 192.0.2.1:20 10.0.0.2:2120 120"));
  expect_frame(reply(answer().tcp(2120, 40000, syn)), back().tcp(20, 40000, syn), outer_link);
  expect_frame(send(in().tcp(40000, 20, syn | ack)), there().tcp(40000, 2120, syn | ack), inner_link);
  expect_order();
}

TEST_F(FtpTest, eprt_in_ipv6) {
  converse(Family::ipv6);
  const std::string eprt = "EPRT |2|2001:db8::7|40000|\r\n";
  EXPECT_EQ(told(asking(eprt)), (All{{inner_link, asked(eprt)}}));
  expect_frame(reply(answer().tcp(20, 40000, syn)), back().tcp(20, 40000, syn), outer_link);
  expect_frame(send(in().tcp(40000, 20, syn | ack)), there().tcp(40000, 20, syn | ack), inner_link);
  expect_order();
}

TEST_F(FtpTest, a_port_that_is_told_again_begins_again) {
  converse();
  for (int i = 0; i < 2; ++i) {
    (void)told(asking("PORT 198,51,100,7,156,64\r\n"));
    expect_frame(reply(answer().tcp(20, 40000, syn)), back().tcp(20, 40000, syn), outer_link);
    (void)send(in().tcp(40000, 20, syn | ack));
    (void)reply(answer().tcp(20, 40000, fin | ack));
    expect_order();
  }
  EXPECT_EQ(records(Role::request), 2U);
  EXPECT_EQ(records(Role::reply), 1U);
}

TEST_F(FtpTest, two_servers_that_announce_one_port_to_a_client_the_newer_gets_it) {
  converse();
  (void)said(saying(pasv));
  const u32 other = add_rs(3, Method::nat, {.port = ftp});
  director.reschedule({vip, ftp, 6}, {other});
  (void)send(in().tcp(1001, ftp, syn));
  (void)send(in().tcp(1001, ftp, ack));
  const Frame text = from_rs(3).ipv4(rip(3), client).tcp(ftp, 1001, ack).payload(bytes_of("227 (10,0,0,3,117,48)"));
  (void)said(text);
  expect_frame(send(in().tcp(4000, pasv_port, syn)),
               to_rs(3).ipv4(client, rip(3), {.ttl = 63}).tcp(4000, pasv_port, syn), inner_link);
  expect_order();
}

TEST_F(FtpTest, text_that_says_nothing_goes_as_it_came) {
  converse();
  for (const std::string text : {"227 nothing\r\n", "229 (|||)\r\n", "227 (10,0,0,2,117,"})
    EXPECT_EQ(said(saying(text)), (All{{outer_link, hearing(text)}}));
  for (const std::string text : {"PORT nowhere\r\n", "EPRT |1|\r\n"})
    EXPECT_EQ(told(asking(text)), (All{{inner_link, asked(text)}}));
  EXPECT_EQ(records(Role::request), 1U);
  expect_frame(reply(saying("200 ok\r\n")), hearing("200 ok\r\n"), outer_link);
}

TEST_F(FtpTest, damaged_segments_are_not_read_and_not_sent) {
  converse();
  Bytes damaged = saying(pasv);
  damaged.back() ^= 1;
  EXPECT_EQ(reply(damaged).verdict, Verdict::drop);
  EXPECT_TRUE(advance().empty());
  EXPECT_EQ(records(Role::request), 1U);
  EXPECT_EQ(said(saying(pasv)), (All{{outer_link, hearing(pasv_heard)}}));
}

TEST_F(FtpTest, what_comes_behind_an_answer_waits_for_it_and_is_shifted) {
  converse();
  const u32 behind = 200 + static_cast<u32>(pasv.size());
  EXPECT_EQ(reply(saying(pasv)).verdict, Verdict::drop);
  EXPECT_EQ(reply(saying("200 ok\r\n", behind)).verdict, Verdict::drop);
  All sent = advance();
  for (Sent& each : advance()) sent.push_back(std::move(each));
  EXPECT_THAT(sent, testing::UnorderedElementsAre(Sent{outer_link, hearing(pasv_heard)},
                                                  Sent{outer_link, hearing("200 ok\r\n", behind + 1)}));
  expect_frame(reply(saying("200 ok\r\n", behind)), hearing("200 ok\r\n", behind + 1), outer_link);
}

TEST_F(FtpTest, what_waits_for_an_answer_that_is_lost_is_lost_after_a_second) {
  converse();
  EXPECT_EQ(reply(saying(pasv)).verdict, Verdict::drop);
  for (PuntedFrame& row : tables().punted) row.word = punt_free;
  EXPECT_EQ(reply(saying("200 ok\r\n", 300)).verdict, Verdict::drop);
  EXPECT_TRUE(advance().empty());
  now += hz - 1;
  EXPECT_TRUE(advance().empty());
  EXPECT_EQ(std::ranges::count(tables().punted, punt_ready, &PuntedFrame::word), 1);
  now += 1;
  EXPECT_TRUE(advance().empty());
  EXPECT_EQ(std::ranges::count(tables().punted, punt_ready, &PuntedFrame::word), 0);
  EXPECT_EQ(said(saying(pasv)), (All{{outer_link, hearing(pasv_heard)}}));
}

TEST_F(FtpTest, tags_of_the_clients_vlan_are_put_on_what_the_server_sends) {
  converse();
  const std::string port = "PORT 198,51,100,7,156,64\r\n";
  const Frame tagged = from_client()
                           .vlan(7)
                           .ipv4(client, vip)
                           .tcp(control_port, ftp, ack | psh, {.acknowledgement = 200})
                           .payload(bytes_of(port));
  EXPECT_EQ(told(tagged), (All{{inner_link, asked(port)}}));
  expect_frame(reply(answer().tcp(20, 40000, syn)),
               to_client().vlan(7).ipv4(vip, client, {.ttl = 63}).tcp(20, 40000, syn), outer_link);
}

TEST_F(FtpTest, answers_behind_tcp_options_in_tagged_and_padded_frames) {
  converse();
  const std::string options(12, '\1');
  const auto tcp = [&](const Frame& frame, u16 from, const std::string& text) {
    return frame.tcp(from, control_port, ack, {.sequence = 200, .data_offset = 8}).payload(bytes_of(options + text));
  };
  const Frame tagged = from_rs(2).vlan(9).ipv4(rip(2), client);
  const std::string brief = "227 10,0,0,2,0,9,";
  EXPECT_EQ(said(tcp(tagged, ftp, brief).padded_to(120)), (All{{outer_link, tcp(back(), ftp, "227 192,0,2,1,0,9,")}}));
}

TEST_F(FtpTest, a_full_table_lets_the_answer_come_again) {
  converse();
  const auto fill = [&](u64 word) {
    for (u32 bucket = 0; bucket < tables().connections.size(); ++bucket)
      for (u32 index = 0; index < records_per_bucket; ++index) {
        Connection& record = tables().connections[bucket].records[index];
        auto* tags = reinterpret_cast<u8*>(&tables().connection_tags[bucket]);
        if (record.word != 0 && record.word != word_claimed) continue;
        record.word = word;
        tags[index] = word == 0 ? 0 : 0xff;
      }
  };
  fill(word_claimed);
  EXPECT_TRUE(said(saying(pasv)).empty());
  fill(0);
  EXPECT_EQ(said(saying(pasv)), (All{{outer_link, hearing(pasv_heard)}}));
  expect_order();
}

TEST_F(FtpTest, counts_what_it_sends_once) {
  converse();
  (void)said(saying(pasv));
  (void)told(asking("PORT 198,51,100,7,156,64\r\n"));
  ServerCounters sum{};
  for (u32 cpu = 0; cpu < 2; ++cpu) {
    const ServerCounters& each = tables().counters[rs_ * 2 + cpu];
    sum.in_packets += each.in_packets;
    sum.out_packets += each.out_packets;
    sum.out_bytes += each.out_bytes;
    sum.connections += each.connections;
  }
  EXPECT_EQ(sum.in_packets, 3U);
  EXPECT_EQ(sum.out_packets, 2U);
  EXPECT_EQ(sum.out_bytes, 40 + 40 + pasv_heard.size());
  EXPECT_EQ(sum.connections, 1U);
}

}  // namespace
}  // namespace penstock::control
