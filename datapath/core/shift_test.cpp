// FTP's shifted numbers: the sums alone, and segments of a connection whose numbers are shifted, both ways.
#include "datapath/core/shift.hpp"

#include <gtest/gtest.h>

#include "tests/packets/nat_frames.hpp"

namespace penstock {
namespace {

using namespace packets;

Shift shift(u32 position, s32 behind, s32 change) {
  return {.position = position, .bytes = (static_cast<u32>(behind) & 0xffffff) | static_cast<u32>(change) << 24};
}

struct Numbers {
  const char* name;
  Shift shift;
  u32 server;
  u32 client;
};

const Numbers numbers[] = {
    {"none", {}, 77, 77},
    {"the segment that grew", shift(200, 1, 1), 200, 200},
    {"the byte behind its first", shift(200, 1, 1), 201, 202},
    {"what was said before", shift(200, 1, 1), 150, 150},
    {"a second change, before", shift(500, 3, 2), 300, 301},
    {"a second change, there", shift(500, 3, 2), 500, 501},
    {"a second change, behind", shift(500, 3, 2), 501, 504},
    {"a text that shrank", shift(500, -4, -4), 550, 546},
    {"grew, then shrank below", shift(500, -3, -8), 400, 405},
    {"grew, then shrank below, behind", shift(500, -3, -8), 600, 597},
    {"round the end of the numbers", shift(0xfffffff0, 5, 5), 3, 8},
    {"over the end of the numbers", shift(0xfffffff0, 32, 32), 0xfffffff8, 0x18},
    {"before the end, not behind", shift(0xfffffff0, 5, 5), 0xffffffe0, 0xffffffe0},
    {"a text that shrank over the end", shift(0xfffffffe, -7, -7), 8, 1},
    {"as much as fits", shift(9, shift_max, 127), 10, 10 + shift_max},
    {"as little as fits", shift(9, -shift_max, -127), 1000, static_cast<u32>(1000 - shift_max)},
};

TEST(Shift, gives_the_client_other_numbers_and_takes_them_back) {
  for (const Numbers& each : numbers) {
    SCOPED_TRACE(each.name);
    EXPECT_EQ(as_client_counts(each.shift, each.server), each.client);
    EXPECT_EQ(as_server_counts(each.shift, each.client), each.server);
  }
}

// An FTP control connection, established; its server's numbers may be shifted.
struct Control : World, NatFrames {
  explicit Control(Family of) : NatFrames{of, 11} {
    rs = is_ipv4() ? add_rs(11, Method::nat, {.port = 21}) : add_rs6(11, Method::nat, {.port = 21});
    director.add_service({is_ipv4() ? vip : vip6, 21, 6}, {rs});
    (void)send(in().tcp(1000, 21, syn));
    (void)send(in().tcp(1000, 21, ack));
  }

  Connection* find(Role role) {
    for (ConnectionBucket& bucket : tables().connections)
      for (Connection& record : bucket.records)
        if (record.word != 0 && record.key.role == role) return &record;
    return nullptr;
  }

  void put(const Shift& made, u32 seconds = 900) {
    FrameBuffer none({});
    NativePlatform p(tables(), none, now, outer_link);
    Work& work = *p.work();
    FlowKey key = find(Role::request)->key;
    key.role = Role::shift;
    prepare_insertion(work.insertion, key, hash_of(p.config().hash_key, key), rs, 1);
    work.insertion.timeout = seconds * hz;
    work.insertion.content.detail = std::bit_cast<u64>(made);
    save(p, work);
    set_trait(find(Role::request), trait_mangled);
  }

  void expect_answer(u32 from, u32 to, u8 flags = ack | psh) {
    expect_frame(reply(answer().tcp(21, 1000, flags, {.sequence = from, .acknowledgement = 5}).payload(9)),
                 back().tcp(21, 1000, flags, {.sequence = to, .acknowledgement = 5}).payload(9), outer_link);
  }
  void expect_acknowledged(u32 from, u32 to, u8 flags = ack | psh) {
    expect_frame(send(in().tcp(1000, 21, flags, {.sequence = 5, .acknowledgement = from}).payload(7)),
                 there().tcp(1000, 21, flags, {.sequence = 5, .acknowledgement = to}).payload(7), inner_link);
  }

  u32 rs = 0;
};

class ShiftedFlow : public ::testing::TestWithParam<Family> {};
INSTANTIATE_TEST_SUITE_P(Families, ShiftedFlow, ::testing::Values(Family::ipv4, Family::ipv6));

TEST_P(ShiftedFlow, both_ways_before_at_and_behind_the_change) {
  Control world(GetParam());
  world.put(shift(500, 3, 2));
  world.expect_answer(400, 401);
  world.expect_answer(500, 501);  // the text itself, said once more
  world.expect_answer(501, 504);
  world.expect_acknowledged(401, 400);
  world.expect_acknowledged(501, 500);
  world.expect_acknowledged(504, 501);
  world.expect_answer(0xffffff00, 0xffffff01);
  world.expect_counted(std::nullopt);
  world.expect_order();
}

TEST_P(ShiftedFlow, without_the_trait_nothing_is_shifted) {
  Control world(GetParam());
  world.put(shift(500, 3, 2));
  world.find(Role::request)->traits &= static_cast<u8>(~trait_mangled);
  world.expect_answer(501, 501);
  world.expect_acknowledged(504, 504);
}

TEST_P(ShiftedFlow, what_acknowledges_nothing_stays) {
  Control world(GetParam());
  world.put(shift(500, 3, 2));
  world.expect_acknowledged(504, 504, rst);
}

TEST_P(ShiftedFlow, a_lost_record_shifts_nothing) {
  Control world(GetParam());
  world.put(shift(500, 3, 2));
  world.find(Role::shift)->word = 0;
  world.expect_answer(501, 501);
  EXPECT_EQ(world.counted(Reason::bug), 0U);
}

TEST_P(ShiftedFlow, lives_as_long_as_its_connection_is_used) {
  Control world(GetParam());
  world.put(shift(500, 3, 2));
  world.expect_answer(501, 504);
  for (u32 i = 0; i < 10; ++i) {
    world.pass_seconds(200);
    i % 2 == 0 ? world.expect_answer(501, 504) : world.expect_acknowledged(504, 501);
    EXPECT_EQ(static_cast<u32>(world.find(Role::shift)->word) - world.now, 900 * hz) << i;
  }
}

TEST_P(ShiftedFlow, a_new_handshake_of_the_same_ports_begins_unshifted) {
  Control world(GetParam());
  world.put(shift(500, 3, 2));
  expect_frame(world.send(world.in().tcp(1000, 21, syn)), world.there().tcp(1000, 21, syn), inner_link);
  world.expect_answer(700, 700);
  world.expect_acknowledged(700, 700);
}

// SACK blocks behind other options, at any offset; a timestamp stays as it is.
TEST_P(ShiftedFlow, sack_blocks_are_acknowledgements_too) {
  const auto segment = [](Frame frame, u32 acknowledged, std::size_t offset, u32 first, u32 second) {
    Bytes options(offset, 1);
    append(options, Bytes{5, 18});
    for (const u32 edge : {first, first + 10, second, second + 10}) append32(options, edge);
    append(options, Bytes{8, 10, 0, 0, 1, 0xf9, 0, 0, 1, 0xf9});  // 505
    while (options.size() % 4 != 0) options.push_back(0);
    const u8 words = static_cast<u8>(5 + options.size() / 4);
    append(options, Bytes{1, 2, 3});
    return frame.tcp(1000, 21, ack, {.acknowledgement = acknowledged, .data_offset = words}).payload(options);
  };
  for (const std::size_t offset : {0U, 1U, 2U, 3U}) {
    Control world(GetParam());
    world.put(shift(500, 3, 2));
    expect_frame(world.send(segment(world.in(), 450, offset, 480, 600)), segment(world.there(), 449, offset, 479, 597),
                 inner_link);
  }
}

TEST_P(ShiftedFlow, options_that_contradict_themselves_are_left_alone) {
  const Bytes tables_of_options[] = {{5, 10, 0, 0}, {5, 0, 0, 0},  {1, 1, 1, 5},
                                     {8, 1, 5, 4},  {0, 5, 10, 0}, {8, 200, 0, 0}};
  for (const Bytes& options : tables_of_options) {
    Control world(GetParam());
    world.put(shift(500, 3, 2));
    const auto segment = [&](Frame frame, u32 acknowledged) {
      return frame.tcp(1000, 21, ack, {.acknowledgement = acknowledged, .data_offset = 6}).payload(options).payload(20);
    };
    expect_frame(world.send(segment(world.in(), 504)), segment(world.there(), 501), inner_link);
  }
}

}  // namespace
}  // namespace penstock
