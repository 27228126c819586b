// NH against a second implementation, with the message as a list of words; and what a table wants of a hash: each byte counts,
// and neighbours (ports, clients) spread evenly.
#include "datapath/core/hash.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "datapath/core/table.hpp"
#include "datapath/native/native_tables.hpp"
#include "tests/packets/director.hpp"

namespace penstock {
namespace {

using packets::image_of;

const Config config = small_config();

struct KeyedWord {
  u32 key_index;  // of the secret's 32-bit words
  u32 word;
};

// RFC 4418 §5.2.2: products of neighbouring words, each plus its key, modulo 2^32, summed modulo 2^64.
u64 nh_by_words(const std::vector<KeyedWord>& message) {
  std::vector<u32> keys;
  for (const u64 both : config.hash_key) {
    keys.push_back(static_cast<u32>(both & 0xffffffff));
    keys.push_back(static_cast<u32>(both >> 32));
  }
  unsigned __int128 sum = 0;
  for (std::size_t i = 0; i < message.size(); i += 2) {
    const u64 first = (u64{message[i].word} + keys[message[i].key_index]) % (u64{1} << 32);
    const u64 second = (u64{message[i + 1].word} + keys[message[i + 1].key_index]) % (u64{1} << 32);
    sum += static_cast<unsigned __int128>(first) * second;
  }
  return static_cast<u64>(sum);
}

u64 splitmix_finalizer(u64 z) {
  z ^= z >> 30;
  z *= 0xbf58476d1ce4e5b9ULL;
  z ^= z >> 27;
  z *= 0x94d049bb133111ebULL;
  z ^= z >> 31;
  return z;
}

FlowKey ipv4_flow() {
  return {.client = image_of("198.51.100.7"),
          .vip = image_of("192.0.2.1"),
          .client_port = big(u16{40000}),
          .vip_port = big(u16{80}),
          .protocol = 17,
          .family = Family::ipv4,
          .role = Role::request};
}

FlowKey ipv6_flow() {
  return {.client = image_of("2001:db8::1:2:3"),
          .vip = image_of("fd00:1::ffee"),
          .client_port = big(u16{40000}),
          .vip_port = big(u16{443}),
          .protocol = 6,
          .family = Family::ipv6,
          .role = Role::request};
}

// The upper half is of the whole message, the lower of its first words, which are the client's.
u64 joined(u64 client, u64 whole) {
  const auto upper = [](u64 sum) { return (sum ^ sum >> 32) * 0x9e3779b97f4a7c15ULL >> 32; };
  return upper(whole) << 32 | upper(client);
}

TEST(Hash, of_an_ipv4_flow_is_nh_of_its_words) {
  // 198.51.100.7, 192.0.2.1, 40000 and 80 as they lie in memory; UDP and the family.
  const u64 client = nh_by_words({{0, 0x11409c}, {1, 0x076433c6}});
  const u64 vip = nh_by_words({{2, 0x045000}, {3, 0x010200c0}});
  EXPECT_EQ(hash_of(config.hash_key, ipv4_flow()), joined(client, client + vip));
}

TEST(Hash, of_an_ipv6_flow_is_nh_of_its_words) {
  const u64 client = nh_by_words({{0, 0x06409c}, {1, 0xb80d0120}, {4, 0}, {5, 0x01000000}, {6, 0x03000200}, {7, 0}});
  const u64 vip = nh_by_words({{2, 0x06bb01}, {3, 0x010000fd}, {8, 0}, {9, 0}, {10, 0xeeff0000}, {11, 0}});
  EXPECT_EQ(hash_of(config.hash_key, ipv6_flow()), joined(client, client + vip));
}

TEST(Hash, of_another_role_is_of_the_whole_message) {
  FlowKey reply = ipv4_flow();
  reply.role = Role::reply;
  const u64 client = nh_by_words({{0, 0x11409c}, {1, 0x076433c6}});
  const u64 vip = nh_by_words({{2, 0x045000 | static_cast<u32>(Role::reply) << 24}, {3, 0x010200c0}});
  EXPECT_EQ(hash_of(config.hash_key, reply), splitmix_finalizer(client + vip));
  EXPECT_EQ(hash_of_request(config.hash_key, reply), hash_of(config.hash_key, ipv4_flow()));
}

TEST(Hash, of_a_service_is_nh_of_its_address_port_protocol_and_mark) {
  const ServiceKey key{
      .vip = image_of("fd00:1::1"), .port = big(u16{80}), .protocol = 6, .family = Family::ipv6, .mark = 0x12345678};
  const u64 sum = nh_by_words(
      {{0, 0x5000}, {1, 0x0606}, {2, 0x12345678}, {3, 0}, {8, 0x010000fd}, {9, 0}, {10, 0}, {11, 0x01000000}});
  EXPECT_EQ(hash_of(config.hash_key, key), splitmix_finalizer(sum));
}

TEST(Hash, of_what_is_no_request_is_of_the_whole_key) {
  FlowKey reply = ipv4_flow();
  reply.role = Role::reply;
  const u64 client = nh_by_words({{0, 0x11409c}, {1, 0x076433c6}});
  const u64 vip = nh_by_words({{2, 0x01045000}, {3, 0x010200c0}});
  EXPECT_EQ(hash_of(config.hash_key, reply), splitmix_finalizer(client + vip));
}

// Of nat: the real server's packets go where the client's came from.
TEST(Hash, replies_know_where_their_connection_is_looked_for_first) {
  for (const FlowKey& request : {ipv4_flow(), ipv6_flow()}) {
    FlowKey reply = request;
    reply.vip.low += 0x1234;
    reply.vip_port = big(u16{8080});
    reply.role = Role::reply;
    const Place place = place_of(hash_of(config.hash_key, request), 1024);
    const Place guessed = place_of(first_choice_of(nh_of_ends(config.hash_key, reply)), 1024);
    EXPECT_EQ(guessed.bucket[0], place.bucket[0]);
    EXPECT_EQ(guessed.start, place.start);
  }
}

TEST(Hash, changes_with_every_byte_of_a_key_and_of_the_secret) {
  const u64 original = hash_of(config.hash_key, ipv6_flow());
  for (std::size_t byte = 0; byte < sizeof(FlowKey); ++byte) {
    if (byte == 37) continue;  // the family: another one has another message
    if (byte == 39) continue;  // the role's upper byte: there are few roles
    FlowKey changed = ipv6_flow();
    reinterpret_cast<u8*>(&changed)[byte] ^= 1;
    EXPECT_NE(hash_of(config.hash_key, changed) >> 32, original >> 32) << "byte " << byte;
  }
  for (u32 word = 0; word < hash_key_words; ++word) {
    Config other = config;
    other.hash_key[word] ^= 1ULL << 32 | 1;
    EXPECT_NE(hash_of(other.hash_key, ipv6_flow()) >> 32, original >> 32) << "secret word " << word;
  }
}

// Pearson's statistic over 256 classes has a mean of 255 and a deviation of 22.6; six deviations are beyond chance.
double pearson(const std::vector<u64>& hashes, u32 shift) {
  std::vector<double> classes(256);
  for (const u64 hash : hashes) classes[hash >> shift & 0xff] += 1;
  const double expected = static_cast<double>(hashes.size()) / 256;
  double statistic = 0;
  for (const double count : classes) statistic += (count - expected) * (count - expected) / expected;
  return statistic;
}

TEST(Hash, spreads_the_ports_of_one_client_over_all_bits_in_use) {
  std::vector<u64> hashes;
  for (u32 port = 1; port < 65536; ++port) {
    FlowKey key = ipv4_flow();
    key.client_port = big(static_cast<u16>(port));
    hashes.push_back(hash_of(config.hash_key, key));
  }
  for (const u32 shift : {0U, 8U, 16U, 29U, 32U, 40U, 48U, 56U})
    EXPECT_LT(pearson(hashes, shift), 255 + 6 * 22.6) << shift;
}

TEST(Hash, spreads_the_ports_of_neighbouring_clients_over_all_bits_in_use) {
  std::vector<u64> hashes;
  for (u32 client = 0; client < 256; ++client) {
    for (u32 port = 32768; port < 33024; ++port) {
      FlowKey key = ipv4_flow();
      key.client.low = 0x0100a8c0 + (client << 24);
      key.client_port = big(static_cast<u16>(port));
      hashes.push_back(hash_of(config.hash_key, key));
    }
  }
  for (const u32 shift : {0U, 8U, 16U, 24U, 29U, 32U, 40U, 48U, 56U})
    EXPECT_LT(pearson(hashes, shift), 255 + 6 * 22.6) << shift;
}

TEST(Hash, spreads_neighbouring_clients_over_all_bits_in_use) {
  std::vector<u64> hashes;
  for (u32 client = 0; client < 65536; ++client) {
    FlowKey key = ipv6_flow();
    key.client.high += static_cast<u64>(client) << 40;
    hashes.push_back(hash_of(config.hash_key, key));
  }
  for (const u32 shift : {0U, 8U, 16U, 29U, 32U, 40U, 48U, 56U})
    EXPECT_LT(pearson(hashes, shift), 255 + 6 * 22.6) << shift;
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
