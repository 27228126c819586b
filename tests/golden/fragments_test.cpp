#include "tests/golden/fragments.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/golden/frame.hpp"
#include "tests/golden/recording.hpp"

namespace penstock::golden {
namespace {

Packet datagram(std::size_t size) {
  Bytes transport(size);
  std::iota(transport.begin(), transport.end(), std::uint8_t{0});
  return *parse_packet(build_packet({.source = *model::parse_address("198.51.100.1"),
                                     .destination = *model::parse_address("10.1.0.100"),
                                     .protocol = protocol::icmp,
                                     .id = 77,
                                     .transport = transport}));
}

std::vector<Packet> pieces_of(const Packet& packet, std::size_t mtu) {
  std::vector<Packet> pieces;
  for (const Bytes& piece : cut(packet, mtu)) pieces.push_back(parse_packet(piece).value());
  return pieces;
}

TEST(Fragments, what_was_cut_is_put_together_again_in_any_order) {
  const Packet whole = datagram(3000);
  auto pieces = pieces_of(whole, 1500);
  ASSERT_EQ(pieces.size(), 3U);
  do {
    EXPECT_EQ(reassemble(pieces), whole.bytes);
  } while (std::next_permutation(pieces.begin(), pieces.end(),
                                 [](const auto& a, const auto& b) { return a.offset < b.offset; }));
}

TEST(Fragments, a_piece_may_come_twice_and_none_may_be_missing) {
  const Packet whole = datagram(3000);
  auto pieces = pieces_of(whole, 1500);
  pieces.push_back(pieces[1]);
  EXPECT_EQ(reassemble(pieces), whole.bytes);
  EXPECT_FALSE(reassemble({pieces[0], pieces[1]}));
  EXPECT_FALSE(reassemble({pieces[0], pieces[2]}));
  EXPECT_FALSE(reassemble({pieces[1], pieces[2]}));
  EXPECT_FALSE(reassemble({}));
}

TEST(Fragments, all_but_the_last_carry_a_multiple_of_eight_bytes_and_none_exceeds_the_mtu) {
  const auto pieces = pieces_of(datagram(1481), 1400);
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].bytes.size(), 20U + 1376);
  EXPECT_TRUE(pieces[0].more_fragments);
  EXPECT_EQ(pieces[1].offset, 1376U);
  EXPECT_FALSE(pieces[1].more_fragments);
  EXPECT_EQ(pieces_of(datagram(1380), 1400).size(), 2U) << "1380 is no multiple of eight";
  EXPECT_EQ(pieces_of(datagram(1376), 1400).size(), 1U);
}

// The kernel wrapped the same datagrams that came in pieces: what it had put together stands in the recording.
TEST(Fragments, ipv6_pieces_become_what_the_kernel_made_of_them) {
  const auto recording = load_recording(PENSTOCK_SOURCE_DIR "/tests/golden/recordings/frag-tun-udp6-p2.json");
  ASSERT_TRUE(recording) << recording.error().message;
  const auto packet_of = [](const Bytes& frame) { return parse_packet(View(frame).subspan(ethernet_header)).value(); };
  std::vector<Packet> in;
  std::vector<Packet> out;
  for (std::size_t i = 3; i <= 4; ++i) {
    const auto& send = std::get<SendStep>(recording->steps[i].action);
    in.push_back(packet_of(send.frame));
    for (const Sent& sent : send.out) out.push_back(packet_of(sent.frame));
  }
  const auto outer = reassemble(out);
  ASSERT_TRUE(outer);
  const Packet wrapped = parse_packet(*outer).value();
  const auto whole = reassemble(in);
  ASSERT_TRUE(whole);
  const View inner = wrapped.transport();
  EXPECT_EQ(Bytes(inner.begin(), inner.end()), one_hop_further(parse_packet(*whole).value()));
}

}  // namespace
}  // namespace penstock::golden
