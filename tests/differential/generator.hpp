// Frames for a MixedDirector: mostly sound ones from few clients to few services, so that they meet again; answers to what the
// director sent, and ICMP errors about it; fragments, tags, extension headers; then some are spoilt. The same seed gives the same
// frames, as long as the director does the same with them.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "tests/packets/echo.hpp"
#include "tests/packets/frame.hpp"
#include "tests/packets/mixed_director.hpp"

namespace penstock::differential {

using packets::Bytes;
using packets::Frame;

class Generator {
 public:
  static constexpr std::size_t shortest = 14;   // a test run of the kernel's takes no shorter frame
  static constexpr std::size_t longest = 3000;  // nor one that doesn't fit into a page, with room around it

  explicit Generator(std::uint64_t seed) : random_(seed) {}

  // What the director has sent, so that it can be answered.
  void note_sent(const Bytes& frame) {
    if (sent_.size() < sent_max) {
      sent_.push_back(frame);
    } else {
      sent_[below(sent_max)] = frame;
    }
  }

  Bytes next() {
    Bytes frame = one_in(3) && !sent_.empty() ? echo() : request();
    if (one_in(6)) spoil(frame);
    if (!one_in(4)) packets::repair_ipv4_checksum(frame);  // else most of the spoilt ones would end there
    if (frame.size() < shortest) frame.resize(shortest);
    if (frame.size() > longest) frame.resize(longest);
    return frame;
  }

  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
  bool one_in(std::uint32_t count) { return below(count) == 0; }
  template <typename T, std::size_t count>
  T any_of(const T (&values)[count]) {
    return values[below(count)];
  }

 private:
  static constexpr std::size_t sent_max = 64;

  Bytes echo() {
    const Bytes& frame = sent_[below(static_cast<std::uint32_t>(sent_.size()))];
    static constexpr std::uint8_t flags[] = {packets::syn | packets::ack, packets::ack, packets::ack,
                                             packets::fin | packets::ack, packets::rst};
    Bytes made;
    if (one_in(4)) {
      static constexpr std::uint8_t types[] = {1, 2, 3, 3, 3, 4, 5, 11, 12};
      static constexpr std::uint32_t mtus[] = {0, 60, 68, 600, 1280, 1400, 70000};
      made = packets::error_about(frame, any_of(types), static_cast<std::uint8_t>(below(5)), any_of(mtus),
                                  one_in(3) ? below(120) : 548);
      if (one_in(30)) wear_out(made);
    } else {
      made = packets::turned(frame, any_of(flags));
      if (one_in(8)) leave_unsummed_piece(made);
    }
    return made.empty() ? frame : made;
  }

  // Where the IP packet begins: behind the tag, if there is one.
  static std::size_t network_of(const Bytes& frame) {
    return static_cast<std::size_t>(packets::ip_packet_of(frame).data() - frame.data());
  }

  // Its TTL or hop limit runs out at the director.
  static void wear_out(Bytes& frame) {
    if (frame.empty()) return;
    const std::size_t ip = network_of(frame);
    frame[ip + (frame[ip] >> 4 == 4 ? 8 : 7)] = 1;
    packets::repair_ipv4_checksum(frame);
  }

  // The first fragment of an IPv4 datagram whose sender made no checksum.
  static void leave_unsummed_piece(Bytes& frame) {
    if (frame.empty()) return;
    const std::size_t ip = network_of(frame);
    if (frame[ip] != 0x45 || frame[ip + 9] != 17) return;
    packets::put16(frame, ip + 6, 0x2000);
    packets::put16(frame, ip + 26, 0);
    packets::repair_ipv4_checksum(frame);
  }

  // An error about a packet of which the director knows nothing, as a server of direct or a tunnel would have sent it.
  Bytes error_about_unseen(const Frame& frame) {
    const Bytes answer = packets::turned(frame.bytes());
    return answer.empty() ? frame.bytes() : packets::error_about(answer, one_in(2) ? 3 : 1, 3, 0);
  }

  Bytes request() {
    const bool other = one_in(100);
    Frame frame = packets::eth(packets::mixed::client_mac,
                               other ? packets::Mac{2, 0, 0, 0, 0, 0xd1} : packets::mixed::director_mac);
    if (one_in(200)) frame = packets::eth(packets::mixed::client_mac, {255, 255, 255, 255, 255, 255});
    if (one_in(20)) frame = frame.vlan(static_cast<std::uint16_t>(below(3) * 0x2001), one_in(4) ? 0x88a8 : 0x8100);
    if (one_in(200)) return frame.ethertype(0x0806).payload(28);
    frame = transport(one_in(2) ? ipv4(frame) : ipv6(frame));
    if (one_in(100)) return error_about_unseen(frame);
    return one_in(10) ? piece_of(frame) : frame.bytes();
  }

  // In and out of order.
  Bytes piece_of(const Frame& frame) {
    const std::size_t first = 8 * static_cast<std::size_t>(below(3) * below(12));
    return frame.fragment(first, 8 * static_cast<std::size_t>(1 + below(16))).bytes();
  }

  packets::IpFields ip_fields() {
    static constexpr std::uint8_t ttls[] = {64, 64, 64, 64, 64, 64, 64, 64, 128, 128, 255, 255, 3, 2, 2, 1, 1, 0};
    return {.ttl = any_of(ttls),
            .tos = static_cast<std::uint8_t>(one_in(4) ? below(256) : 0U),
            .id = static_cast<std::uint16_t>(below(8)),
            .dont_fragment = one_in(2),
            .more_fragments = one_in(60),
            .fragment_offset = static_cast<std::uint16_t>(one_in(60) ? below(8192) : 0U),
            .options = Bytes(one_in(20) ? below(11) * 4 : 0, 1)};
  }

  Frame ipv4(const Frame& frame) {
    static const char* const destinations[] = {"192.0.2.1", "192.0.2.2",   "192.0.2.1",   "192.0.2.2", "192.0.2.1",
                                               "192.0.2.2", "203.0.113.1", "203.0.113.2", "10.0.0.2"};
    // Now and then a real server is a client.
    const std::string source =
        one_in(16) ? "10.0.0." + std::to_string(100 + below(16)) : "198.51.100." + std::to_string(below(5));
    return frame.ipv4(source, any_of(destinations), ip_fields());
  }

  Frame ipv6(const Frame& frame) {
    static const char* const destinations[] = {"fd00:1::1", "fd00:1::2",      "fd00:1::1", "fd00:1::2",
                                               "fd00:1::1", "2001:db8:99::1", "fd00:1::3"};
    const std::string source =
        one_in(16) ? "fd00::" + std::to_string(100 + below(16)) : "2001:db8::" + std::to_string(below(5));
    Frame made = frame.ipv6(source, any_of(destinations), ip_fields());
    static constexpr std::uint8_t extensions[] = {0, 60, 60, 43, 44, 51};
    const std::uint32_t count = one_in(8) ? below(8) : 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint8_t type = any_of(extensions);
      made = made.extension(type, Bytes(type == 44 ? 6 : 6 + below(4) * 8, static_cast<std::uint8_t>(below(3))));
    }
    return made;
  }

  std::uint16_t client_port() {
    return one_in(30)   ? std::uint16_t{20}
           : one_in(20) ? std::uint16_t{500}
                        : static_cast<std::uint16_t>(1024 + below(10));
  }

  std::uint16_t service_port() {
    if (one_in(10)) return static_cast<std::uint16_t>(below(2000));
    return packets::mixed::ports[below(std::size(packets::mixed::ports))];
  }

  Frame transport(const Frame& frame) {
    using namespace packets;
    static constexpr std::uint8_t flags[] = {syn, syn,       syn, ack, ack,       ack,       psh | ack, fin | ack,
                                             rst, syn | ack, fin, 0,   syn | fin, syn | rst, 0xff};
    static constexpr std::uint8_t chunks[] = {0, 0, 1, 1, 1, 2, 3, 6, 7, 8, 9, 10, 10, 11, 14, 200};
    if (one_in(50)) return frame.icmp(static_cast<std::uint8_t>(below(256)), 0).payload(below(100));
    if (one_in(30))
      return frame.protocol(one_in(2) ? std::uint8_t{50} : static_cast<std::uint8_t>(below(256))).payload(below(100));
    const std::uint16_t from = client_port();
    const std::uint16_t to = service_port();
    Frame made = frame;
    switch (below(5)) {
      case 0:
        made = frame.sctp(from, to, any_of(chunks), Bytes(below(8) * 4));
        break;
      case 1:
      case 2:
        made = frame.udp(from, to);
        if (one_in(4)) made = made.without_checksum();
        break;
      default:
        made =
            frame.tcp(from, to, any_of(flags), {.data_offset = static_cast<std::uint8_t>(one_in(9) ? below(16) : 5)});
    }
    if (to == 21 && !one_in(3)) made = made.payload(ftp_text());
    made = made.payload(one_in(8) ? below(1500) : below(40));
    return one_in(10) ? made.padded_to(60 + below(20)) : made;
  }

  // What either side says: an answer may come back from a real server.
  Bytes ftp_text() {
    static constexpr const char* words[] = {"PORT", "EPRT", "227 ", "229 "};
    const std::string word = any_of(words);
    return {word.begin(), word.end()};
  }

  void spoil(Bytes& frame) {
    for (std::uint32_t i = 1 + below(3); i > 0; --i) spoil_once(frame);
  }

  void spoil_once(Bytes& frame) {
    if (frame.empty()) return;
    static constexpr std::uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff};
    const std::uint32_t headers = static_cast<std::uint32_t>(std::min<std::size_t>(frame.size(), 110));
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
  std::vector<Bytes> sent_;
};

}  // namespace penstock::differential
