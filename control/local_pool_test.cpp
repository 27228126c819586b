#include "control/local_pool.hpp"

#include <gtest/gtest.h>

#include "control/images.hpp"

namespace penstock::control {
namespace {

model::Address at(const char* text) { return *model::parse_address(text); }

model::Address numbered(unsigned number) {
  model::Address address = at("10.0.0.0");
  address.bytes[2] = static_cast<std::uint8_t>(number >> 8);
  address.bytes[3] = static_cast<std::uint8_t>(number);
  return address;
}

class local_pool : public testing::Test {
 protected:
  void write(const std::vector<model::Address>& wanted) {
    write_local_pool(pool, wanted, [this] {
      ++looks;
      return held;
    });
  }
  bool has_place(const model::Address& address, const std::vector<model::Address>& wanted) {
    return has_place_for(pool, address, wanted, [this] { return held; });
  }
  // What new connections are given, in the pool's order.
  std::string given(std::size_t row = 0) const {
    std::string text;
    for (u32 i = 0; i < pool.count[row]; ++i)
      text += (i ? " " : "") +
              to_string(endpoint_of(pool.addresses[pool.order[row][i]], row ? Family::ipv6 : Family::ipv4, {}).address);
    return text;
  }
  u32 place(const model::Address& address) const {
    for (u32 i = 0; i < local_addresses_max; ++i)
      if (pool.addresses[i].low == image_of(address).low && pool.addresses[i].high == image_of(address).high) return i;
    ADD_FAILURE() << to_string(address) << " has no place";
    return 0;
  }

  LocalPool pool{};
  HeldPlaces held;
  int looks = 0;
};

TEST_F(local_pool, gives_out_what_is_wanted_by_family) {
  write({at("10.0.0.1"), at("fd00::1"), at("10.0.0.2")});
  EXPECT_EQ(given(0), "10.0.0.1 10.0.0.2");
  EXPECT_EQ(given(1), "fd00::1");
  write({at("10.0.0.1"), at("fd00::1"), at("10.0.0.2")});
  EXPECT_EQ(given(0), "10.0.0.1 10.0.0.2") << "the same again changes nothing";
  write({});
  EXPECT_EQ(given(0), "");
  EXPECT_EQ(given(1), "");
}

TEST_F(local_pool, an_address_keeps_its_place_while_it_is_away) {
  write({numbered(1), numbered(2), numbered(3)});
  const u32 before = place(numbered(1));
  write({numbered(2), numbered(3)});
  EXPECT_EQ(given(), "10.0.0.3 10.0.0.2");
  EXPECT_EQ(place(numbered(1)), before) << "its connections still read it";
  write({numbered(2), numbered(3), numbered(4)});
  EXPECT_NE(place(numbered(4)), before);
  write({numbered(2), numbered(3), numbered(4), numbered(1)});
  EXPECT_EQ(place(numbered(1)), before);
  EXPECT_EQ(known_addresses(pool).size(), 4U);
}

TEST_F(local_pool, a_place_changes_hands_only_when_none_is_new_and_no_connection_holds_it) {
  std::vector<model::Address> wanted;
  for (unsigned i = 1; i <= local_addresses_max; ++i) {
    write({numbered(i)});
    EXPECT_EQ(given(), to_string(numbered(i)));
  }
  EXPECT_EQ(looks, 0) << "connections are looked at only when it must be";
  held.set();
  EXPECT_FALSE(has_place(numbered(1000), {numbered(7)}));
  EXPECT_TRUE(has_place(numbered(9), {numbered(7)})) << "it has its old place";
  held.reset(place(numbered(7)));
  EXPECT_FALSE(has_place(numbered(1000), {numbered(7)})) << "that one is wanted";
  held.reset(place(numbered(8)));
  EXPECT_TRUE(has_place(numbered(1000), {numbered(7)}));
  const u32 freed = place(numbered(8));
  write({numbered(7), numbered(1000)});
  EXPECT_EQ(place(numbered(1000)), freed);
  EXPECT_EQ(given(), "10.0.0.7 10.0.3.232");
}

TEST_F(local_pool, connections_of_fullnat_hold_their_places) {
  std::vector<ConnectionBucket> buckets(2);
  Connection& record = buckets[1].records[3];
  record.word = 1;
  record.local_address = 9;
  record.traits = static_cast<u8>(Method::nat);
  EXPECT_TRUE(held_places(buckets).none());
  record.traits = static_cast<u8>(Method::fullnat) | trait_answered;
  EXPECT_EQ(held_places(buckets), HeldPlaces{}.set(9));
  record.word = 0;
  EXPECT_TRUE(held_places(buckets).none());
}

}  // namespace
}  // namespace penstock::control
