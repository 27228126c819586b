// Each rule of the comparison from both sides: what is free, and that its neighbour is not.
#include "tests/golden/compare_frame.hpp"

#include <gtest/gtest.h>

#include "tests/golden/packet.hpp"

namespace penstock::golden {
namespace {

constexpr const char* client = "198.51.100.1";
constexpr const char* vip = "10.1.0.100";
constexpr const char* director = "10.2.0.1";
constexpr const char* server = "10.2.0.11";

model::Address address(const char* text) { return *model::parse_address(text); }

Bytes tcp_syn(std::uint16_t urgent = 0) {
  Bytes header(20);
  write16(header, 0, 1000);
  write16(header, 2, 80);
  header[12] = 5 << 4;
  header[13] = 2;
  write16(header, 18, urgent);
  return header;
}

Bytes packet(const char* source, const char* destination, const Bytes& transport, std::uint16_t id = 1,
             std::uint8_t protocol = protocol::tcp) {
  return build_packet({.source = address(source),
                       .destination = address(destination),
                       .protocol = protocol,
                       .id = id,
                       .transport = transport});
}

Bytes frame(const Bytes& packet) {
  Bytes bytes = {2, 0, 0, 0, 2, 0x0b, 2, 0, 0, 0, 2, 1, 8, 0};
  if (packet[0] >> 4 == 6) bytes[12] = 0x86, bytes[13] = 0xdd;
  append(bytes, packet);
  return bytes;
}

// A header around `payload` by hand: build_packet() would write a checksum into it.
Bytes ipv4_around(const Bytes& payload, std::uint8_t protocol, std::uint16_t id, std::uint16_t fragmenting = 0,
                  const char* source = director) {
  Bytes bytes = packet(source, server, tcp_syn(), id);
  bytes.resize(20);
  write16(bytes, 2, static_cast<std::uint16_t>(20 + payload.size()));
  write16(bytes, 6, fragmenting);
  bytes[9] = protocol;
  write16(bytes, 10, 0);
  write16(bytes, 10, internet_checksum(bytes));
  append(bytes, payload);
  return bytes;
}

Bytes udp(std::uint16_t source_port, std::uint16_t port, const Bytes& payload) {
  Bytes bytes(8);
  write16(bytes, 0, source_port);
  write16(bytes, 2, port);
  write16(bytes, 4, static_cast<std::uint16_t>(8 + payload.size()));
  append(bytes, payload);
  return bytes;
}

Bytes gue(std::uint16_t source_port, const Bytes& inner) {
  Bytes payload = {0, 4, 0, 0};
  append(payload, inner);
  return udp(source_port, 6080, payload);
}

const Bytes in = frame(packet(client, vip, tcp_syn()));

std::vector<std::string> places(const Bytes& want, const Bytes& got, const Bytes& incoming = in) {
  std::vector<std::string> places;
  for (const auto& difference : compare_frames("f", incoming, want, got)) places.push_back(difference.where);
  return places;
}

using Places = std::vector<std::string>;

TEST(CompareFrame, equal_frames_are_equal) { EXPECT_EQ(places(in, in), Places{}); }

TEST(CompareFrame, the_id_of_a_forwarded_packet_counts) {
  EXPECT_EQ(places(in, frame(packet(client, vip, tcp_syn(), 2))), Places{"f.ip.id"});
}

TEST(CompareFrame, the_id_of_a_packet_that_the_director_makes_is_free_and_nothing_else_of_it) {
  const Bytes reset = frame(packet(vip, client, tcp_syn(), 7));
  EXPECT_EQ(places(reset, frame(packet(vip, client, tcp_syn(), 8))), Places{});
  Bytes shorter_lived = packet(vip, client, tcp_syn(), 8);
  --shorter_lived[8];
  EXPECT_EQ(places(reset, frame(shorter_lived)), (Places{"f.ip.ttl", "f.ip.hcsum_ok"}));
}

TEST(CompareFrame, the_outer_id_of_a_tunnel_is_free_the_inner_one_is_not) {
  const Bytes inner = packet(client, vip, tcp_syn(), 1);
  const Bytes other_inner = packet(client, vip, tcp_syn(), 2);
  const Bytes want = frame(ipv4_around(inner, 4, 100));
  EXPECT_EQ(places(want, frame(ipv4_around(inner, 4, 101))), Places{});
  EXPECT_EQ(places(want, frame(ipv4_around(other_inner, 4, 101))), Places{"f.ip.inner.id"});
}

TEST(CompareFrame, the_source_port_of_gue_is_free_its_destination_is_not) {
  const Bytes inner = packet(client, vip, tcp_syn(), 1);
  const Bytes want = frame(ipv4_around(gue(50000, inner), 17, 100));
  EXPECT_EQ(places(want, frame(ipv4_around(gue(50001, inner), 17, 100))), Places{});
  Bytes other = gue(50000, inner);
  write16(other, 2, 6081);
  EXPECT_EQ(places(want, frame(ipv4_around(other, 17, 100))), Places{"f.ip.udp.dport"});
  EXPECT_EQ(places(frame(ipv4_around(udp(50000, 53, {1}), 17, 1)), frame(ipv4_around(udp(50001, 53, {1}), 17, 1))),
            Places{"f.ip.udp.sport"});
}

TEST(CompareFrame, the_flow_label_is_free_where_the_director_makes_the_packet) {
  const Bytes request = packet("2001:db8::1", "fd00:1::100", tcp_syn());
  Bytes labelled = request;
  labelled[3] = 5;
  EXPECT_EQ(places(frame(request), frame(labelled), frame(request)), Places{"f.ip.flow"});
  const Bytes reply = packet("fd00:1::100", "2001:db8::1", tcp_syn());
  Bytes labelled_reply = reply;
  labelled_reply[3] = 5;
  EXPECT_EQ(places(frame(reply), frame(labelled_reply), frame(request)), Places{});
}

TEST(CompareFrame, the_fragment_id_is_free_in_ipv6_and_counts_in_ipv4) {
  Bytes fragment = packet("2001:db8::1", "fd00:1::100", Bytes(24));
  fragment[6] = 44;
  fragment[40] = 17;
  write16(fragment, 42, 1);
  Bytes renamed = fragment;
  write32(renamed, 44, 99);
  EXPECT_EQ(places(frame(fragment), frame(renamed), frame(fragment)), Places{});
  Bytes moved = fragment;
  write16(moved, 42, 8);
  EXPECT_NE(places(frame(fragment), frame(moved), frame(fragment)), Places{});

  const Bytes incoming = frame(ipv4_around(Bytes(16), 17, 500, 0x2000, client));
  EXPECT_EQ(places(incoming, frame(ipv4_around(Bytes(16), 17, 501, 0x2000, client)), incoming), Places{"f.ip.id"});
}

TEST(CompareFrame, the_id_of_a_piece_of_a_tunnel_packet_is_free) {
  // GUE over IPv4 of an IPv6 datagram: neither version nor protocol says that the piece was made here.
  Bytes datagram = packet("2001:db8::1", "fd00:1::100", Bytes(24));
  datagram[6] = 17;
  const Bytes incoming = frame(datagram);
  const Bytes want = frame(ipv4_around(Bytes(16), 17, 500, 185));
  EXPECT_EQ(places(want, frame(ipv4_around(Bytes(16), 17, 501, 185)), incoming), Places{});
  EXPECT_EQ(places(want, frame(ipv4_around(Bytes(16), 17, 501, 186)), incoming), Places{"f.ip.off"});
  const Bytes routed = frame(ipv4_around(Bytes(16), 17, 500, 185, client));
  EXPECT_EQ(places(routed, frame(ipv4_around(Bytes(16), 17, 501, 185, client)), incoming), Places{"f.ip.id"});
}

TEST(CompareFrame, sync_messages_may_differ_in_source_port_id_and_timeouts) {
  const auto message = [](std::uint16_t source_port, std::uint8_t syncid, std::uint32_t timeout) {
    Bytes bytes(8 + 36);
    bytes[1] = syncid;
    bytes[4] = 1;  // one connection
    bytes[5] = 1;
    write16(bytes, 10, 36);
    write32(bytes, 28, timeout);
    return udp(source_port, 8848, bytes);
  };
  const Bytes want = frame(ipv4_around(message(4000, 1, 900), 17, 1));
  EXPECT_EQ(places(want, frame(ipv4_around(message(5000, 1, 880), 17, 9))), Places{});
  EXPECT_EQ(places(want, frame(ipv4_around(message(5000, 2, 880), 17, 9))), Places{"f.ip.udp.sync.syncid"});
}

TEST(CompareFrame, a_header_checksum_counts_as_right_or_wrong) {
  Bytes wrong = in;
  wrong[24] ^= 1;
  EXPECT_EQ(places(in, wrong), Places{"f.ip.hcsum_ok"});
}

TEST(CompareFrame, bytes_that_no_field_shows_count_too) {
  Bytes urgent = frame(packet(client, vip, tcp_syn(7)));
  EXPECT_EQ(places(in, urgent), Places{"f.bytes"});
}

TEST(CompareFrame, padding_after_the_packet_does_not_count) {
  Bytes padded = in;
  padded.resize(60);
  EXPECT_EQ(places(in, padded), Places{});
}

TEST(CompareFrame, missing_and_surplus_fields_are_named) {
  const Bytes empty = frame(packet(client, vip, tcp_syn()));
  Bytes with_data = tcp_syn();
  with_data.push_back('x');
  const auto differences = compare_frames("f", in, empty, frame(packet(client, vip, with_data)));
  ASSERT_EQ(differences.size(), 2U);
  EXPECT_EQ(differences[0].where, "f.ip.len");
  EXPECT_EQ(differences[1], (Difference{"f.ip.tcp.data", "", "x"}));
}

TEST(CompareSent, order_counts_within_an_interface_only) {
  const Sent first{Interface::eth0, frame(packet(client, vip, tcp_syn(), 1))};
  const Sent second{Interface::eth0, frame(packet(client, vip, tcp_syn(), 2))};
  const Sent third{Interface::eth1, frame(packet(client, vip, tcp_syn(), 1))};
  EXPECT_TRUE(compare_sent(in, {first, third}, {third, first}).empty());
  EXPECT_FALSE(compare_sent(in, {first, second}, {second, first}).empty());
}

TEST(CompareSent, a_frame_too_many_too_few_or_elsewhere_is_told) {
  const Sent sent{Interface::eth0, in};
  const Sent elsewhere{Interface::eth1, in};
  EXPECT_EQ(compare_sent(in, {sent}, {}).size(), 1U);
  EXPECT_EQ(compare_sent(in, {}, {sent}).size(), 1U);
  EXPECT_EQ(compare_sent(in, {sent}, {elsewhere}).size(), 2U);
}

}  // namespace
}  // namespace penstock::golden
