// SipHash-1-3 against a second implementation, which is written from the paper byte by byte, and that one against vectors that
// others published or computed.
#include "datapath/core/hash.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <vector>

#include "tests/packets/director.hpp"

namespace penstock {
namespace {

using packets::image_of;

struct Rounds {
  int compression;
  int finalization;
};

// Aumasson, Bernstein: SipHash: a fast short-input PRF, §2. Any length, any number of rounds.
u64 siphash_of_the_paper(Rounds rounds, const u64 (&key)[2], const std::vector<u8>& message) {
  u64 v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
              key[1] ^ 0x7465646279746573};
  const auto mix = [&v](int count) {
    while (count-- > 0) {
      v[0] += v[1], v[1] = std::rotl(v[1], 13), v[1] ^= v[0], v[0] = std::rotl(v[0], 32);
      v[2] += v[3], v[3] = std::rotl(v[3], 16), v[3] ^= v[2];
      v[0] += v[3], v[3] = std::rotl(v[3], 21), v[3] ^= v[0];
      v[2] += v[1], v[1] = std::rotl(v[1], 17), v[1] ^= v[2], v[2] = std::rotl(v[2], 32);
    }
  };
  std::vector<u8> padded = message;
  while (padded.size() % 8 != 7) padded.push_back(0);
  padded.push_back(static_cast<u8>(message.size()));
  for (std::size_t at = 0; at < padded.size(); at += 8) {
    u64 word = 0;
    for (std::size_t i = 8; i-- > 0;) word = word << 8 | padded[at + i];
    v[3] ^= word;
    mix(rounds.compression);
    v[0] ^= word;
  }
  v[2] ^= 0xff;
  mix(rounds.finalization);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

std::vector<u8> counting(u8 count) {
  std::vector<u8> bytes;
  for (u8 i = 0; i < count; ++i) bytes.push_back(i);
  return bytes;
}

constexpr u64 counting_key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
constexpr u64 zero_key[2] = {0, 0};

TEST(Siphash, the_second_implementation_gives_the_papers_own_vector) {
  EXPECT_EQ(siphash_of_the_paper({2, 4}, counting_key, counting(15)), 0xa129ca6149be45e5U);  // appendix A
}

// CPython hashes bytes by SipHash-1-3 since 3.11; without a seed its key is zero:
//   PYTHONHASHSEED=0 python3 -c 'print(hex(hash(bytes(range(16))) & (1 << 64) - 1))'
TEST(Siphash, both_implementations_agree_with_cpythons) {
  const struct {
    u8 length;
    u64 hash;
  } vectors[] = {{16, 0x8972188433a5c5b7}, {24, 0x31185a47af932f3a}, {40, 0x95bc321ab41d8206}};
  for (const auto& vector : vectors) {
    EXPECT_EQ(siphash_of_the_paper({1, 3}, zero_key, counting(vector.length)), vector.hash);
    SipState state = sip_begin(zero_key);
    for (u64 word = 0; word < vector.length / 8U; ++word) {
      u64 value = 0;
      std::memcpy(&value, counting(vector.length).data() + word * 8, 8);
      sip_word(state, value);
    }
    EXPECT_EQ(sip_end(state, vector.length), vector.hash);
  }
}

void append_word(std::vector<u8>& message, u64 word) {
  for (int i = 0; i < 8; ++i) message.push_back(static_cast<u8>(word >> i * 8));
}

TEST(Siphash, of_an_ipv6_flow_covers_every_byte_of_its_key) {
  const FlowKey key{.client = image_of("2001:db8::1:2:3"),
                    .vip = image_of("fd00:1::ffee"),
                    .client_port = big(u16{40000}),
                    .vip_port = big(u16{443}),
                    .protocol = 6,
                    .family = Family::ipv6,
                    .zero = 0};
  std::vector<u8> message(sizeof key);
  std::memcpy(message.data(), &key, sizeof key);  // the key's own bytes are the message
  EXPECT_EQ(hash_of(counting_key, key), siphash_of_the_paper({1, 3}, counting_key, message));

  for (std::size_t byte = 0; byte < 38; ++byte) {
    if (byte == 37) continue;  // the family: another one has another message
    FlowKey changed = key;
    reinterpret_cast<u8*>(&changed)[byte] ^= 1;
    EXPECT_NE(hash_of(counting_key, changed), hash_of(counting_key, key)) << "byte " << byte;
  }
}

TEST(Siphash, of_an_ipv4_flow_takes_two_words) {
  const FlowKey key{.client = image_of("198.51.100.7"),
                    .vip = image_of("192.0.2.1"),
                    .client_port = big(u16{40000}),
                    .vip_port = big(u16{80}),
                    .protocol = 17,
                    .family = Family::ipv4,
                    .zero = 0};
  std::vector<u8> message{192, 0, 2, 1, 198, 51, 100, 7};
  const u8 ports[] = {0x9c, 0x40, 0, 80, 17, 4, 0, 0};  // 40000, 80, UDP, the family
  message.insert(message.end(), std::begin(ports), std::end(ports));
  EXPECT_EQ(hash_of(counting_key, key), siphash_of_the_paper({1, 3}, counting_key, message));
}

TEST(Siphash, of_a_service_is_of_its_address_port_and_protocol) {
  const ServiceKey key{
      .vip = image_of("fd00:1::1"), .port = big(u16{80}), .protocol = 6, .family = Family::ipv6, .zero = 0};
  std::vector<u8> message;
  append_word(message, key.vip.low);
  append_word(message, key.vip.high);
  const u8 rest[] = {0, 80, 0, 0, 6, 6, 0, 0};
  message.insert(message.end(), std::begin(rest), std::end(rest));
  EXPECT_EQ(hash_of(counting_key, key), siphash_of_the_paper({1, 3}, counting_key, message));
}

TEST(VipFilter, spreads_the_addresses_of_one_network) {
  std::vector<bool> taken(vip_filter_bits);
  u32 distinct = 0;
  for (u32 i = 0; i < 256; ++i) {
    const u32 bit = vip_filter_bit(image_of("192.0.2." + std::to_string(i)));
    ASSERT_LT(bit, vip_filter_bits);
    distinct += taken[bit] ? 0 : 1;
    taken[bit] = true;
  }
  EXPECT_GT(distinct, 240U);
}

}  // namespace
}  // namespace penstock
