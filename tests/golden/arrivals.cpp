#include "tests/golden/arrivals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "tests/golden/compare_frame.hpp"
#include "tests/golden/fragments.hpp"
#include "tests/golden/frame.hpp"

namespace penstock::golden {

namespace {

// A packet on its way: by whom and through which headers it came.
struct Travelled {
  std::string way;
  Packet packet;
};

using Datagrams = std::map<std::pair<std::string, DatagramKey>, std::vector<Packet>>;

// Whole packets as they are, and of fragments the datagram when all have come. A way is part of what fragments have in common.
std::vector<Travelled> gather(const std::vector<Travelled>& packets, std::vector<std::string>& incomplete) {
  std::vector<Travelled> whole;
  Datagrams datagrams;
  for (const Travelled& one : packets) {
    if (one.packet.fragment) {
      datagrams[{one.way, datagram_of(one.packet)}].push_back(one.packet);
    } else {
      whole.push_back(one);
    }
  }
  for (const auto& [key, fragments] : datagrams) {
    const auto datagram = reassemble(fragments);
    const auto packet = datagram ? parse_packet(*datagram) : std::nullopt;
    if (packet) {
      whole.push_back({key.first, *packet});
    } else {
      incomplete.push_back(fmt::format("{} incomplete: {} fragments of {}", key.first, fragments.size(),
                                       decode_ip(fragments.front().bytes, Extent::whole).dump()));
    }
  }
  return whole;
}

struct Unwrapped {
  Fields outer;
  View inner;
};

std::optional<Unwrapped> unwrap(const Packet& packet) {
  constexpr std::uint8_t ipip = 4;
  constexpr std::uint8_t ip6 = 41;
  constexpr std::uint8_t gre = 47;
  Fields outer = decode_ip(packet.bytes, Extent::whole);
  const View transport = packet.transport();
  if (packet.protocol == ipip || packet.protocol == ip6) {
    outer.erase("inner");
    return Unwrapped{std::move(outer), transport};
  }
  if (packet.protocol == gre && outer.contains("/gre/inner"_json_pointer)) {
    outer["gre"].erase("inner");
    const std::size_t header = (transport[0] & 0x80) != 0 ? 8 : 4;
    return Unwrapped{std::move(outer), transport.subspan(header)};
  }
  if (outer.contains("/udp/gue/inner"_json_pointer)) {
    outer["udp"].erase("len");
    outer["udp"]["sport"] = "*";
    outer["udp"]["gue"].erase("inner");
    const std::size_t header = 8 + 4 + static_cast<std::size_t>(transport[8] & 0x1f) * 4;
    return Unwrapped{std::move(outer), transport.subspan(header)};
  }
  return std::nullopt;
}

// What differs with the number of packets that a datagram was wrapped into, and what a director chooses.
Fields without_free_fields(Fields outer) {
  for (const char* name : {"id", "flow", "len", "mf", "off", "fid", "ext"}) outer.erase(name);
  return outer;
}

std::vector<Travelled> parse_frames(const std::vector<Sent>& frames, std::vector<std::string>& others) {
  std::vector<Travelled> packets;
  for (const Sent& sent : frames) {
    const View frame(sent.frame);
    const auto packet = frame.size() < ethernet_header ? std::nullopt : parse_packet(frame.subspan(ethernet_header));
    if (packet) {
      packets.push_back(
          {fmt::format("{} {}", to_string(sent.interface), to_hex(frame.first(ethernet_header))), *packet});
    } else {
      others.push_back(fmt::format("{} {}", to_string(sent.interface), to_hex(frame)));
    }
  }
  return packets;
}

}  // namespace

std::vector<std::string> arrivals(const std::vector<Sent>& frames) {
  std::vector<std::string> lines;
  std::vector<Travelled> unwrapped;
  for (const Travelled& outer : gather(parse_frames(frames, lines), lines)) {
    const auto inside = unwrap(outer.packet);
    const auto inner = inside ? parse_packet(inside->inner) : std::nullopt;
    if (inner) {
      unwrapped.push_back({fmt::format("{} {}", outer.way, without_free_fields(inside->outer).dump()), *inner});
    } else {
      lines.push_back(fmt::format("{} no tunnel: {}", outer.way, decode_ip(outer.packet.bytes, Extent::whole).dump()));
    }
  }
  for (const Travelled& datagram : gather(unwrapped, lines)) {
    lines.push_back(fmt::format("{} {} crc32c {:08x}", datagram.way,
                                decode_ip(datagram.packet.bytes, Extent::whole).dump(), crc32c(datagram.packet.bytes)));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace penstock::golden
