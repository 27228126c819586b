// What others send because of a frame that the director sent: an answer to it, an ICMP error about it.
#pragma once

#include "tests/packets/mixed_director.hpp"
#include "tests/packets/soundness.hpp"

namespace penstock::packets {

[[nodiscard]] inline std::string text_of(View address) {
  char text[64];
  return inet_ntop(address.size() == 4 ? AF_INET : AF_INET6, address.data(), text, sizeof text);
}

// Under the tag of the frame, back to the director's MAC address.
[[nodiscard]] inline Bytes ethernet_back(View frame, View packet) {
  Bytes back(mixed::director_mac.begin(), mixed::director_mac.end());
  append(back, frame.subspan(0, 6));
  append(back, frame.subspan(12, static_cast<std::size_t>(packet.data() - frame.data()) - 12));
  return back;
}

// Its ends and ports swapped: all checksums but the header's stay right. Empty: the frame is not of such a kind.
[[nodiscard]] inline Bytes turned(View frame, std::uint8_t tcp_flags = ack) {
  const View packet = ip_packet_of(frame);
  const bool v4 = !packet.empty() && packet[0] == 0x45;
  const std::size_t header = v4 ? 20 : 40;
  if (packet.size() < header + 20 || (!v4 && packet[0] >> 4 != 6)) return {};
  const std::size_t address = v4 ? 4 : 16;
  const std::size_t source = v4 ? 12 : 8;
  Bytes turned(packet.begin(), packet.end());
  std::swap_ranges(turned.begin() + static_cast<std::ptrdiff_t>(source),
                   turned.begin() + static_cast<std::ptrdiff_t>(source + address),
                   turned.begin() + static_cast<std::ptrdiff_t>(source + address));
  std::swap_ranges(turned.begin() + static_cast<std::ptrdiff_t>(header),
                   turned.begin() + static_cast<std::ptrdiff_t>(header + 2),
                   turned.begin() + static_cast<std::ptrdiff_t>(header + 2));
  turned[v4 ? 8 : 7] = 64;
  if (v4) {
    put16(turned, 10, 0);
    put16(turned, 10, naive_checksum(View(turned).subspan(0, 20)));
  }
  if (turned[v4 ? 9 : 6] == 6 && turned.size() >= header + 20) {
    const std::size_t flags = header + 13;
    const std::uint32_t sum = static_cast<std::uint32_t>(turned[header + 16] * 256 + turned[header + 17]) +
                              turned[flags] + 0xffff - tcp_flags;
    turned[flags] = tcp_flags;  // ones' complement: the checksum gains what the flags lose
    put16(turned, header + 16, sum % 0xffff);
  }
  Bytes back = ethernet_back(frame, packet);
  append(back, turned);
  return back;
}

// From a router on the way, to whom the frame says it comes from.
[[nodiscard]] inline Bytes error_about(View frame, std::uint8_t type, std::uint8_t code, std::uint32_t rest,
                                       std::size_t quoted = 548) {
  const View packet = ip_packet_of(frame);
  if (packet.size() < 20 || (packet[0] >> 4 == 6 && packet.size() < 40)) return {};
  const bool v4 = packet[0] >> 4 == 4;
  const Frame ends = eth({2, 0, 0, 0, 0, 0xee}, mixed::director_mac);
  const View source = v4 ? packet.subspan(12, 4) : packet.subspan(8, 16);
  const Frame error = v4 ? ends.ipv4("203.0.113.200", text_of(source)) : ends.ipv6("2001:db8:77::1", text_of(source));
  return error.icmp(type, code, rest).payload(packet.subspan(0, std::min(packet.size(), quoted)));
}

}  // namespace penstock::packets
