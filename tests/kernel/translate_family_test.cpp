// From IPv6 to IPv4 and back in the kernel's own hands: a driver's frame and a socket buffer change their family by different means,
// and what comes out is the same. Sizes that the kernel's helper doesn't know by itself are among them: extension headers, options,
// fragments, ICMP errors.
#include <gtest/gtest.h>
#include <linux/pkt_cls.h>
#include <unistd.h>

#include <optional>

#include "tests/differential/bpf_machine.hpp"
#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;
using differential::BpfMachine;

constexpr u16 web = 80;
constexpr u16 inside = 8080;
constexpr u32 link = differential::test_run_ingress;
const std::string lip = "10.0.0.2";

Frame from_server() { return eth(rs_mac(11), director_mac); }
Frame to_server() { return eth(director_mac, rs_mac(11)); }

enum class Entry { xdp, tc };

class TranslateInKernel : public ::testing::TestWithParam<Entry> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: loading programs needs root";
    Config config = World::small();
    const auto cpus = control::counter_rows();
    ASSERT_TRUE(cpus) << cpus.error().message;
    config.cpus = *cpus;
    auto loaded = BpfMachine::load(config);
    ASSERT_TRUE(loaded) << loaded.error().message;
    machine_.emplace(std::move(*loaded));
    if (GetParam() == Entry::tc) {
      auto program = control::load_tc_program(machine_->program().maps, control::TcProgram::in);
      ASSERT_TRUE(program) << program.error().message;
      tc_ = std::move(*program);
    }
    Director director(machine_->tables());
    director.set_defaults(hz);
    director.add_link({.index = link, .address = director_mac, .ipv4 = inner_address, .ipv6 = inner_address6});
    director.add_local_address(lip);
    const u32 hop = director.add_next_hop({.source = director_mac, .destination = rs_mac(11), .interface = link});
    const u32 rs =
        director.add_server({.address = rip(11), .next_hop = hop, .method = Method::fullnat, .port = inside});
    for (const u8 protocol : {u8{6}, u8{17}, u8{132}}) director.add_service({vip6, web, protocol}, {rs});
  }

  // What the frame became; nothing if it isn't sent.
  Bytes run(const Bytes& frame) {
    Bytes out(differential::longest_frame + 256);
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = out.data(),
                .data_size_in = static_cast<u32>(frame.size()), .data_size_out = static_cast<u32>(out.size()));
    const bool tc = GetParam() == Entry::tc;
    const int program = tc ? tc_.fd() : machine_->program().program();
    EXPECT_EQ(bpf_prog_test_run_opts(program, &options), 0);
    EXPECT_EQ(options.retval, tc ? static_cast<u32>(TC_ACT_REDIRECT) : static_cast<u32>(Verdict::transmit));
    out.resize(options.data_size_out);
    return out;
  }

  u16 connect(const Frame& first) {
    const Bytes sent = run(first);
    return static_cast<u16>(sent.at(34) << 8 | sent.at(35));
  }

  // `there` gets the fields of IPv4; the name is the director's choice.
  template <typename There>
  void expect_request(const Frame& frame, There there) {
    const Bytes sent = run(frame);
    IpFields ip{.ttl = 63, .id = static_cast<u16>(sent.at(18) << 8 | sent.at(19))};
    ip.dont_fragment = sent.size() - 14 > 1260;
    EXPECT_EQ(hex(sent), hex(there(to_server().ipv4(lip, rip(11), ip)).bytes()));
  }
  void expect_reply(const Frame& frame, const Frame& expected) { EXPECT_EQ(hex(run(frame)), hex(expected.bytes())); }

  std::optional<BpfMachine> machine_;
  File tc_;
};

INSTANTIATE_TEST_SUITE_P(Ways, TranslateInKernel, ::testing::Values(Entry::xdp, Entry::tc),
                         [](const auto& about) { return about.param == Entry::tc ? "tc" : "xdp"; });

Frame answer(const IpFields& ip = {}) { return from_server().ipv4(rip(11), lip, ip); }
Frame back(const IpFields& ip = {.ttl = 63}) { return to_client().ipv6(vip6, client6, ip); }

TEST_P(TranslateInKernel, datagrams_of_every_kind_of_header) {
  const u16 port = connect(in6().udp(40000, web));
  for (const std::size_t length : {0U, 1U, 300U, 1452U}) {
    SCOPED_TRACE(length);
    const auto there = [&](const Frame& ip) { return ip.udp(port, inside).payload(length); };
    expect_request(in6().udp(40000, web).payload(length), there);
    expect_request(in6().extension(0).extension(60, Bytes(14)).udp(40000, web).payload(length), there);
    for (const std::size_t options : {0U, 4U, 20U, 40U})
      expect_reply(answer({.options = Bytes(options, 1)}).udp(inside, port).payload(length),
                   back().udp(web, 40000).payload(length));
    expect_reply(answer().udp(inside, port).without_checksum().payload(length), back().udp(web, 40000).payload(length));
  }
}

TEST_P(TranslateInKernel, segments_and_the_options_of_syns) {
  const Bytes options{2, 4, 0x05, 0xb4, 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
  const Bytes asked{2, 4, 0x05, 0xa0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  const Bytes told{2, 4, 0x05, 0xa0, 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
  const auto segment = [](const Frame& ip, u16 from, u16 to, u8 flags, const Bytes& with) {
    return ip.tcp(from, to, flags, {.data_offset = 9}).payload(with);
  };
  const u16 port = connect(segment(in6(), 40000, web, syn, options));
  expect_request(segment(in6(), 40000, web, syn, options),
                 [&](const Frame& ip) { return segment(ip, port, inside, syn, asked); });
  expect_reply(segment(answer(), inside, port, syn | ack, options), segment(back(), web, 40000, syn | ack, told));
  Bytes toa{254, 20};
  append16(toa, 40000);
  append(toa, address_bytes(client6));
  expect_request(in6().tcp(40000, web, ack).payload(100), [&](const Frame& ip) {
    return ip.tcp(port, inside, ack, {.data_offset = 10}).payload(toa).payload(100);
  });
  expect_reply(answer().tcp(inside, port, ack).payload(700), back().tcp(web, 40000, ack).payload(700));
}

TEST_P(TranslateInKernel, fragments) {
  const u16 port = connect(in6().udp(40000, web));
  const Frame request = in6({.id = 7}).udp(40000, web).payload(2000);
  const Frame reply = answer({.id = 9}).udp(inside, port).payload(2000);
  const Frame there = to_server().ipv4(lip, rip(11), {.ttl = 63, .id = 7}).udp(port, inside).payload(2000);
  for (const auto& [first, count] : {std::pair{0U, 1400U}, {1400U, 608U}}) {
    EXPECT_EQ(hex(run(request.fragment(first, count))), hex(there.fragment(first, count).bytes()));
    expect_reply(reply.fragment(first, count),
                 back({.ttl = 63, .id = 9}).udp(web, 40000).payload(2000).fragment(first, count));
  }
}

TEST_P(TranslateInKernel, icmp_errors) {
  const u16 port = connect(in6().udp(40000, web));
  for (const std::size_t length : {0U, 100U, 400U}) {
    SCOPED_TRACE(length);
    // The quoted transport's checksum stays that of the packet that was sent: quotes are made of it.
    Bytes lost = to_server().ipv4(lip, rip(11), {.ttl = 63}).udp(port, inside).payload(length).packet();
    Bytes asked = in6({.ttl = 63}).udp(40000, web).payload(length).packet();
    std::copy_n(lost.begin() + 26, 2, asked.begin() + 46);
    expect_reply(answer().icmp(3, 4, 1400).payload(lost), back().icmp(2, 0, 1420).payload(asked));
    Bytes gone = back().udp(web, 40000).payload(length).packet();
    Bytes sent = answer({.ttl = 63}).udp(inside, port).payload(length).packet();
    std::copy_n(gone.begin() + 46, 2, sent.begin() + 26);
    EXPECT_EQ(hex(run(in6().icmp(1, 4).payload(gone))),
              hex(to_server().ipv4(lip, rip(11), {.ttl = 63}).icmp(3, 3).payload(sent).bytes()));
  }
}

}  // namespace
}  // namespace penstock
