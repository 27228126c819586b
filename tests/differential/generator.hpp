// Frames for both builds of the packet path: mostly sound ones from few clients to few services, so that they meet again; then
// some are spoilt. The same seed gives the same frames.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "tests/packets/frame.hpp"

namespace penstock::differential {

inline constexpr packets::Mac client_mac{2, 0, 0, 0, 0, 0xc1};
inline constexpr packets::Mac director_mac{2, 0, 0, 0, 0, 0xd0};

// The director's services, on each address; what they do is told where they are made.
namespace port {
inline constexpr std::uint16_t web = 80;         // tcp: three servers
inline constexpr std::uint16_t dns = 53;         // udp: three servers
inline constexpr std::uint16_t quiesced = 443;   // tcp and udp
inline constexpr std::uint16_t unresolved = 81;  // tcp
inline constexpr std::uint16_t narrow = 54;      // udp: an MTU of 600
inline constexpr std::uint16_t missing = 82;     // tcp: a server without a row
inline constexpr std::uint16_t nobody = 9999;
}  // namespace port

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  // 14 to 3000 bytes.
  packets::Bytes next() {
    packets::Bytes frame = sound().bytes();
    if (one_in(4)) spoil(frame);
    if (!one_in(4)) packets::repair_ipv4_checksum(frame);  // else most of the spoilt ones would end there
    if (frame.size() < 14) frame.resize(14);
    if (frame.size() > 3000) frame.resize(3000);
    return frame;
  }

  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
  bool one_in(std::uint32_t count) { return below(count) == 0; }
  template <typename T, std::size_t count>
  T any_of(const T (&values)[count]) {
    return values[below(count)];
  }

 private:
  packets::Frame sound() {
    const packets::Mac destination = one_in(100) ? packets::Mac{2, 0, 0, 0, 0, 0xd1} : director_mac;
    const packets::Mac to = one_in(200) ? packets::Mac{255, 255, 255, 255, 255, 255} : destination;
    packets::Frame frame = packets::eth(client_mac, to);
    if (one_in(100)) frame = frame.vlan(7);
    return transport(one_in(2) ? ipv4(frame) : ipv6(frame));
  }

  packets::IpFields ip_fields() {
    static constexpr std::uint8_t ttls[] = {64, 64, 64, 64, 64, 64, 64, 64, 128, 128, 255, 255, 3, 2, 2, 1, 1, 0};
    return {.ttl = any_of(ttls),
            .tos = static_cast<std::uint8_t>(one_in(4) ? below(256) : 0U),
            .id = static_cast<std::uint16_t>(below(65536)),
            .dont_fragment = one_in(2),
            .more_fragments = one_in(60),
            .fragment_offset = static_cast<std::uint16_t>(one_in(60) ? below(8192) : 0U),
            .options = packets::Bytes(one_in(10) ? below(11) * 4 : 0, 1)};
  }

  packets::Frame ipv4(const packets::Frame& frame) {
    static const char* const virtual_addresses[] = {"192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.2", "192.0.2.1",
                                                    "192.0.2.2", "192.0.2.1", "192.0.2.3"};  // the last is none
    return frame.ipv4("198.51.100." + std::to_string(below(4)), any_of(virtual_addresses), ip_fields());
  }

  packets::Frame ipv6(const packets::Frame& frame) {
    static const char* const virtual_addresses[] = {"fd00:1::1", "fd00:1::2", "fd00:1::1", "fd00:1::2",
                                                    "fd00:1::1", "fd00:1::2", "fd00:1::1", "fd00:1::3"};
    packets::Frame made = frame.ipv6("2001:db8::" + std::to_string(below(4)), any_of(virtual_addresses), ip_fields());
    static constexpr std::uint8_t extensions[] = {0, 60, 60, 43, 44, 51};
    const std::uint32_t count = one_in(8) ? below(6) : 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint8_t type = any_of(extensions);
      made =
          made.extension(type, packets::Bytes(type == 44 ? 6 : 6 + below(4) * 8, static_cast<std::uint8_t>(below(3))));
    }
    return made;
  }

  packets::Frame transport(const packets::Frame& frame) {
    using namespace packets;
    static constexpr std::uint16_t ports[] = {port::web,     port::web,      port::web,        port::dns,
                                              port::dns,     port::quiesced, port::unresolved, port::narrow,
                                              port::missing, port::nobody};
    static constexpr std::uint8_t flags[] = {syn, syn,       syn, ack, ack,       ack,       psh | ack, fin | ack,
                                             rst, syn | ack, fin, 0,   syn | fin, syn | rst, 0xff};
    const std::uint16_t to = any_of(ports);
    const std::uint16_t from = static_cast<std::uint16_t>(1024 + below(12));
    const bool is_udp_port = to == port::dns || to == port::narrow;
    if (one_in(50)) return frame.icmp(static_cast<std::uint8_t>(below(256)), 0).payload(below(100));
    if (one_in(100)) return frame.protocol(static_cast<std::uint8_t>(below(256))).payload(below(100));
    Frame made =
        one_in(20) != is_udp_port
            ? frame.udp(from, to)
            : frame.tcp(from, to, any_of(flags), {.data_offset = static_cast<std::uint8_t>(one_in(9) ? below(16) : 5)});
    made = made.payload(one_in(8) ? below(1500) : below(40));
    return one_in(10) ? made.padded_to(60 + below(20)) : made;
  }

  void spoil(packets::Bytes& frame) {
    for (std::uint32_t i = 1 + below(3); i > 0; --i) spoil_once(frame);
  }

  void spoil_once(packets::Bytes& frame) {
    if (frame.empty()) return;
    static constexpr std::uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff};
    const std::uint32_t headers = static_cast<std::uint32_t>(std::min<std::size_t>(frame.size(), 90));
    switch (below(6)) {
      case 0:
        frame[below(headers)] ^= static_cast<std::uint8_t>(1U << below(8));
        break;
      case 1:
        frame[below(headers)] = static_cast<std::uint8_t>(below(256));
        break;
      case 2:
        frame[below(headers)] = any_of(edges);
        break;
      case 3:
        frame.resize(below(static_cast<std::uint32_t>(frame.size()) + 1));
        break;
      case 4:
        frame.resize(frame.size() + below(80), static_cast<std::uint8_t>(below(256)));
        break;
      case 5:  // a length field: that of IPv4, that of IPv6
        if (frame.size() > 19) frame[one_in(2) ? 17 : 19] = static_cast<std::uint8_t>(below(256));
        break;
    }
  }

  std::mt19937_64 random_;
};

}  // namespace penstock::differential
