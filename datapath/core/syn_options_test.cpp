// The options of SYNs behind fullnat: timestamps go from the client's, room is kept in the server's, and what is no option stays.
// The expected options are made by the reader below, as a receiver reads them.
#include "datapath/core/syn_options.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 web = 80;
constexpr u16 inside = 8080;
const std::string lip = "10.0.0.2";
const std::string lip6 = "fd00::2";

const Bytes timestamps{8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
const Bytes mss_1460{2, 4, 0x05, 0xb4};
const Bytes window_scale{3, 3, 7};
const Bytes sack_permitted{4, 2};
const Bytes nop{1};
const Bytes end{0};

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) append(all, part);
  return all;
}

// A whole number of words, at most ten.
Bytes padded(Bytes options, u8 with = 0) {
  while (options.size() % 4 != 0) options.push_back(with);
  if (options.size() > 40) options.resize(40);
  return options;
}

// Calls `see` with place and length of each option of kind and length, until the list ends or is broken.
template <typename See>
void read_options(const Bytes& options, See see) {
  for (std::size_t at = 0; at < options.size() && options[at] != 0;) {
    if (options[at] == 1) {
      ++at;
      continue;
    }
    if (at + 1 >= options.size()) return;
    const std::size_t length = options[at + 1];
    if (length < 2 || at + length > options.size()) return;
    see(at, length);
    at += length;
  }
}

Bytes without_timestamps(const Bytes& options) {
  Bytes changed = options;
  read_options(options, [&](std::size_t at, std::size_t length) {
    if (options[at] == 8 && length == 10) std::fill_n(changed.begin() + static_cast<std::ptrdiff_t>(at), 10, u8{1});
  });
  return changed;
}

Bytes with_less_mss(const Bytes& options, u32 cut) {
  Bytes changed = options;
  read_options(options, [&](std::size_t at, std::size_t length) {
    if (options[at] != 2 || length != 4) return;
    const u32 mss = options[at + 2] * 256U + options[at + 3];
    if (mss <= 88) return;
    const u32 less = mss < 88 + cut ? 88 : mss - cut;
    changed[at + 2] = static_cast<u8>(less >> 8);
    changed[at + 3] = static_cast<u8>(less);
  });
  return changed;
}

class SynOptions : public ::testing::TestWithParam<Family> {
 protected:
  SynOptions() {
    world_.director.add_local_address(lip);
    world_.director.add_local_address(lip6);
    const Server like{.port = inside};
    world_.director.add_service({vip, web, 6}, {world_.add_rs(11, Method::fullnat, like)});
    world_.director.add_service({vip6, web, 6}, {world_.add_rs6(11, Method::fullnat, like)});
    const PacketResult first = world_.send(in().tcp(40000, web, syn));
    const std::size_t at = v4() ? 34 : 54;
    port_ = static_cast<u16>(first.frame.at(at) << 8 | first.frame.at(at + 1));
  }

  bool v4() const { return GetParam() == Family::ipv4; }
  u32 toa() const { return v4() ? 8 : 20; }
  Frame in() const { return v4() ? in4() : in6(); }
  Frame there() const {
    return v4() ? to_rs(11).ipv4(lip, rip(11), {.ttl = 63}) : to_rs(11).ipv6(lip6, rip6(11), {.ttl = 63});
  }
  Frame answer() const { return v4() ? from_rs(11).ipv4(rip(11), lip) : from_rs(11).ipv6(rip6(11), lip6); }
  Frame back() const {
    return v4() ? to_client().ipv4(vip, client, {.ttl = 63}) : to_client().ipv6(vip6, client6, {.ttl = 63});
  }

  static Frame segment(const Frame& ip, u16 from, u16 to, u8 flags, const Bytes& options) {
    const u8 words = static_cast<u8>(5 + options.size() / 4);
    return ip.tcp(from, to, flags, {.data_offset = words}).payload(options);
  }
  // What follows the options stays, whatever it looks like.
  void expect_asked(const Bytes& options, const Bytes& expected, const Bytes& data = {}) {
    expect_frame(world_.send(segment(in(), 40000, web, syn, options).payload(data)),
                 segment(there(), port_, inside, syn, expected).payload(data), inner_link);
  }
  void expect_answered(const Bytes& options, const Bytes& expected, u8 flags = syn | ack) {
    expect_frame(world_.reply(segment(answer(), inside, port_, flags, options)),
                 segment(back(), web, 40000, flags, expected), outer_link);
  }

  World world_;
  u16 port_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Families, SynOptions, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& about) { return about.param == Family::ipv4 ? "v4" : "v6"; });

TEST_P(SynOptions, of_the_client_lose_timestamps_and_keep_the_rest) {
  const Bytes as_linux = joined({mss_1460, sack_permitted, timestamps, nop, window_scale});
  expect_asked(as_linux, joined({mss_1460, sack_permitted, Bytes(10, 1), nop, window_scale}));
  expect_asked({}, {});
  world_.expect_counted(std::nullopt);
}

TEST_P(SynOptions, of_the_server_leave_room_for_the_clients_address) {
  const u8 less = static_cast<u8>(0xb4 - toa());
  expect_answered(joined({mss_1460, timestamps, sack_permitted}),
                  joined({Bytes{2, 4, 0x05, less}, timestamps, sack_permitted}));
  expect_answered({}, {});
  world_.expect_counted(std::nullopt);
}

TEST_P(SynOptions, leave_no_room_for_what_is_not_told) {
  world_.settings().toa_kind = 0;
  expect_answered(mss_1460, mss_1460);
  expect_asked(joined({timestamps, sack_permitted}), joined({Bytes(10, 1), sack_permitted}));
}

// Timestamps would come and go within a connection, but for the SYN that says whether there are any.
TEST_P(SynOptions, of_other_segments_stay) {
  const Bytes options = joined({timestamps, sack_permitted, mss_1460});
  (void)world_.reply(answer().tcp(inside, port_, ack));  // answered: no option is added
  expect_frame(world_.send(segment(in(), 40000, web, ack, options)), segment(there(), port_, inside, ack, options),
               inner_link);
  expect_answered(options, options, ack);
}

TEST_P(SynOptions, are_found_at_every_place) {
  for (std::size_t before = 0; before <= 30; ++before) {
    for (std::size_t between = 0; between <= 3; ++between) {
      SCOPED_TRACE(std::to_string(before) + ", " + std::to_string(between));
      const Bytes options =
          padded(joined({Bytes(before, 1), timestamps, Bytes(between, 1), mss_1460, Bytes(between, 1), mss_1460}));
      expect_asked(options, without_timestamps(options));
      expect_answered(options, with_less_mss(options, toa()));
    }
  }
}

TEST_P(SynOptions, that_are_cut_short_end_the_list) {
  const Bytes whole = joined({sack_permitted, timestamps, mss_1460, window_scale, nop, timestamps, mss_1460, nop, nop});
  for (std::size_t bytes = 0; bytes <= 36; bytes += 4) {
    for (std::size_t shift = 0; shift < 4; ++shift) {
      SCOPED_TRACE(std::to_string(bytes) + ", " + std::to_string(shift));
      Bytes options(shift, 1);
      append(options, whole);
      options.resize(bytes);
      // Behind the list stands what would complete it.
      expect_asked(options, without_timestamps(options), Bytes{10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
      expect_answered(options, with_less_mss(options, toa()));
    }
  }
}

TEST_P(SynOptions, behind_an_end_or_a_broken_one_stay) {
  for (const Bytes& stop : {end, Bytes{3, 0}, Bytes{3, 1}, Bytes{77, 255}, Bytes{8, 41}}) {
    const Bytes options = padded(joined({mss_1460, timestamps, stop, timestamps, mss_1460}));
    expect_asked(options, padded(joined({mss_1460, Bytes(10, 1), stop, timestamps, mss_1460})));
    const Bytes less{2, 4, 0x05, static_cast<u8>(0xb4 - toa())};
    expect_answered(options, padded(joined({less, timestamps, stop, timestamps, mss_1460})));
  }
}

TEST_P(SynOptions, of_another_length_are_others) {
  const Bytes options = padded(joined({Bytes{8, 9, 1, 2, 3, 4, 5, 6, 7}, Bytes{2, 3, 5}, Bytes{2, 5, 5, 180, 0}}));
  expect_asked(options, options);
  expect_answered(options, options);
}

TEST_P(SynOptions, whose_header_contradicts_the_packet_stay) {
  Bytes frame = segment(in(), 40000, web, syn, padded(timestamps)).bytes();
  Bytes expected = segment(there(), port_, inside, syn, padded(timestamps)).bytes();
  const std::size_t at = v4() ? 46 : 66;
  for (const u8 data_offset : {u8{0x00}, u8{0x40}, u8{0x90}, u8{0xf0}}) {
    SCOPED_TRACE(int{data_offset});
    frame[at] = data_offset;
    expected[at] = data_offset;
    Bytes sent = world_.send(frame).frame;
    sent[at + 4] = expected[at + 4];  // the checksum was wrong before and is
    sent[at + 5] = expected[at + 5];
    EXPECT_EQ(hex(sent), hex(expected));
  }
}

TEST_P(SynOptions, make_no_segment_smaller_than_any_host_does) {
  for (const u32 mss : {0U, 1U, 87U, 88U, 89U, 88 + toa() - 1, 88 + toa(), 88 + toa() + 1, 255U, 256U, 65535U}) {
    SCOPED_TRACE(mss);
    const Bytes options{2, 4, static_cast<u8>(mss >> 8), static_cast<u8>(mss)};
    expect_answered(options, with_less_mss(options, toa()));
  }
}

TEST_P(SynOptions, leave_a_right_checksum_whatever_they_were) {
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    Bytes options;
    while (options.size() < 40 && random() % 8 != 0) {
      switch (random() % 5) {
        case 0: {
          Bytes drawn = timestamps;
          for (std::size_t at = 2; at < drawn.size(); ++at) drawn[at] = static_cast<u8>(random());
          append(options, drawn);
          break;
        }
        case 1:
          append(options, Bytes{2, 4, static_cast<u8>(random()), static_cast<u8>(random())});
          break;
        case 2:
          append(options, Bytes{static_cast<u8>(random()), static_cast<u8>(random())});
          break;
        case 3:
          append(options, window_scale);
          break;
        default:
          append(options, nop);
      }
    }
    options = padded(options, static_cast<u8>(random() % 2));
    SCOPED_TRACE(hex(options));
    expect_asked(options, without_timestamps(options));
    expect_answered(options, with_less_mss(options, toa()));
    if (HasFailure()) return;
  }
}

TEST(SynOptionsOfNat, stay) {
  World world;
  world.director.add_service({vip, web, 6}, {world.add_rs(11, Method::nat)});
  const Bytes options = joined({mss_1460, timestamps, sack_permitted});
  expect_frame(world.send(in4().tcp(1, web, syn, {.data_offset = 9}).payload(options)),
               to_rs(11).ipv4(client, rip(11), {.ttl = 63}).tcp(1, web, syn, {.data_offset = 9}).payload(options),
               inner_link);
  expect_frame(
      world.reply(from_rs(11).ipv4(rip(11), client).tcp(web, 1, syn | ack, {.data_offset = 9}).payload(options)),
      to_client().ipv4(vip, client, {.ttl = 63}).tcp(web, 1, syn | ack, {.data_offset = 9}).payload(options),
      outer_link);
}

}  // namespace
}  // namespace penstock
