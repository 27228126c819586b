#include "tests/golden/frame.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "tests/golden/sync_message.hpp"

namespace penstock::golden {

namespace {

enum Protocol : std::uint8_t {
  hop_by_hop = 0,
  icmp = 1,
  igmp = 2,
  ipip = 4,
  tcp = 6,
  udp = 17,
  ip6 = 41,
  routing = 43,
  fragment = 44,
  gre = 47,
  esp = 50,
  ah = 51,
  icmp6 = 58,
  destination_options = 60,
  sctp = 132,
};

constexpr std::array gue_ports = {6080, 6081, 7777};  // those that the recordings' services use

std::optional<const char*> protocol_name(std::uint8_t number) {
  static const std::map<std::uint8_t, const char*> names = {
      {icmp, "icmp"}, {igmp, "igmp"}, {ipip, "ipip"}, {tcp, "tcp"},     {udp, "udp"},   {ip6, "ip6"},
      {gre, "gre"},   {esp, "esp"},   {ah, "ah"},     {icmp6, "icmp6"}, {sctp, "sctp"},
  };
  const auto found = names.find(number);
  if (found == names.end()) return std::nullopt;
  return found->second;
}

std::string mac_text(View mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

// Short printable text as it is, short bytes as hex, long ones by length and sum.
Fields payload_field(View bytes) {
  const bool printable = std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t c) { return c >= 32 && c < 127; });
  if (bytes.size() > 64) return {{"len", bytes.size()}, {"crc32c", fmt::format("{:08x}", crc32c(bytes))}};
  if (printable) return std::string(bytes.begin(), bytes.end());
  return {{"hex", to_hex(bytes)}};
}

// What a transport header needs to know of the packet around it.
struct Around {
  View source;
  View destination;
  bool verifiable;  // all of the datagram is here
};

Fields verdict_on(const Around& around, std::uint8_t protocol, View transport) {
  if (!around.verifiable) return nullptr;
  return transport_checksum(around.source, around.destination, protocol, transport) == 0;
}

std::string tcp_flags(std::uint8_t bits) {
  static constexpr std::string_view letters = "FSRPAUEC";
  std::string text;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if ((bits >> i & 1) != 0) text += letters[i];
  }
  return text;
}

Fields decode_tcp(View bytes, const Around& around) {
  Fields fields = {{"sport", read16(bytes, 0)}, {"dport", read16(bytes, 2)}, {"seq", read32(bytes, 4)}};
  if (bytes.size() < 20) return fields;
  fields["ack"] = read32(bytes, 8);
  fields["flags"] = tcp_flags(bytes[13]);
  fields["win"] = read16(bytes, 14);
  fields["csum_ok"] = verdict_on(around, tcp, bytes);
  const std::size_t header = static_cast<std::size_t>(bytes[12] >> 4) * 4;  // may say more than there is
  if (header > 20) fields["opts"] = to_hex(bytes.subspan(20, std::min(header, bytes.size()) - 20));
  if (bytes.size() > header) fields["data"] = payload_field(bytes.subspan(header));
  return fields;
}

Fields decode_gue(View bytes, Extent extent) {
  const std::size_t extension = static_cast<std::size_t>(bytes[0] & 0x1f) * 4;
  Fields fields = {{"hlen", extension},
                   {"control", bytes[0] >> 5 & 1},
                   {"proto", bytes[1]},
                   {"flags", fmt::format("{:04x}", read16(bytes, 2))}};
  if (bytes.size() < 4 + extension) return fields;
  if (extension != 0) fields["ext"] = to_hex(bytes.subspan(4, extension));
  const View inner = bytes.subspan(4 + extension);
  if (!inner.empty() && (bytes[1] == ipip || bytes[1] == ip6)) fields["inner"] = decode_ip(inner, extent);
  return fields;
}

// GUE on whatever port: a packet of the family that its header names.
bool carries_packet(View body) {
  if (body.size() < 4 || body[0] >> 6 != 0) return false;
  const std::size_t header = 4 + static_cast<std::size_t>(body[0] & 0x1f) * 4;
  if (body.size() < header + 20) return false;
  const View inner = body.subspan(header);
  if (body[1] == ip6) return inner[0] >> 4 == 6;
  return body[1] == ipip && inner[0] == 0x45 && internet_checksum(inner.first(20)) == 0;
}

Fields decode_udp(View bytes, const Around& around, Extent extent) {
  const std::uint16_t port = read16(bytes, 2);
  const std::uint16_t length = read16(bytes, 4);
  Fields fields = {{"sport", read16(bytes, 0)}, {"dport", port}, {"len", length}};
  if (read16(bytes, 6) == 0) {
    fields["csum"] = "zero";
  } else {
    fields["csum"] = verdict_on(around, udp, bytes.first(std::min<std::size_t>(length, bytes.size())));
  }
  const View body = bytes.subspan(8);
  const bool gue = std::find(gue_ports.begin(), gue_ports.end(), port) != gue_ports.end();
  if ((gue && body.size() >= 4 && body[0] >> 6 == 0) || carries_packet(body)) {
    fields["gue"] = decode_gue(body, extent);
  } else if (port == sync_port && body.size() >= 8) {
    fields["sync"] = decode_sync(body);
  } else if (!body.empty()) {
    fields["data"] = payload_field(body);
  }
  return fields;
}

Fields chunk_field(std::uint8_t type) {
  static constexpr std::array names = {"DATA",          "INIT",       "INIT_ACK", "SACK",         "HEARTBEAT",
                                       "HEARTBEAT_ACK", "ABORT",      "SHUTDOWN", "SHUTDOWN_ACK", "ERROR",
                                       "COOKIE_ECHO",   "COOKIE_ACK", "ECNE",     "CWR",          "SHUTDOWN_COMPLETE"};
  if (type < names.size()) return names[type];
  return type;
}

Fields decode_sctp(View bytes, const Around& around) {
  Fields fields = {{"sport", read16(bytes, 0)}, {"dport", read16(bytes, 2)}, {"vtag", read32(bytes, 4)}};
  if (bytes.size() < 12) return fields;
  fields["csum_ok"] = nullptr;
  if (around.verifiable) {
    Bytes covered(bytes.begin(), bytes.end());
    write32(covered, 8, 0);
    fields["csum_ok"] = __builtin_bswap32(read32(bytes, 8)) == crc32c(covered);
  }
  Fields chunks = Fields::array();
  for (std::size_t at = 12; at + 4 <= bytes.size();) {
    chunks.push_back(chunk_field(bytes[at]));
    const std::size_t length = read16(bytes, at + 2);
    if (length < 4) break;
    at += (length + 3) / 4 * 4;
  }
  fields["chunks"] = std::move(chunks);
  return fields;
}

bool is_icmp_error(std::uint8_t protocol, std::uint8_t type) {
  if (protocol == icmp6) return type < 128;
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

Fields decode_icmp(std::uint8_t protocol, View bytes, const Around& around) {
  Fields fields = {{"type", bytes[0]}, {"code", bytes[1]}, {"rest", read32(bytes, 4)}, {"csum_ok", nullptr}};
  if (around.verifiable) {
    fields["csum_ok"] = protocol == icmp ? Fields(internet_checksum(bytes) == 0) : verdict_on(around, icmp6, bytes);
  }
  const View body = bytes.subspan(8);
  if (is_icmp_error(protocol, bytes[0]) && body.size() >= 20) {
    fields["inner_len"] = body.size();
    fields["inner"] = decode_ip(body, Extent::quoted);
  } else if (!body.empty()) {
    fields["data"] = payload_field(body);
  }
  return fields;
}

Fields decode_gre(View bytes, const Around& around, Extent extent) {
  const std::uint16_t flags = read16(bytes, 0);
  const std::uint16_t type = read16(bytes, 2);
  Fields fields = {{"flags", fmt::format("{:04x}", flags)}, {"type", fmt::format("{:04x}", type)}};
  std::size_t header = 4;
  if ((flags & 0x8000) != 0) {
    fields["csum_ok"] = around.verifiable ? Fields(internet_checksum(bytes) == 0) : Fields(nullptr);
    header += 4;
  }
  if ((type == ethertype_ipv4 || type == ethertype_ipv6) && bytes.size() >= header) {
    fields["inner"] = decode_ip(bytes.subspan(header), extent);
  }
  return fields;
}

void decode_transport(Fields& ip, std::uint8_t protocol, View bytes, const Around& around, Extent extent) {
  if (protocol == tcp && bytes.size() >= 8) {
    ip["tcp"] = decode_tcp(bytes, around);
  } else if (protocol == udp && bytes.size() >= 8) {
    ip["udp"] = decode_udp(bytes, around, extent);
  } else if (protocol == sctp && bytes.size() >= 8) {
    ip["sctp"] = decode_sctp(bytes, around);
  } else if ((protocol == icmp || protocol == icmp6) && bytes.size() >= 8) {
    ip[protocol == icmp ? "icmp" : "icmp6"] = decode_icmp(protocol, bytes, around);
  } else if ((protocol == ipip || protocol == ip6) && bytes.size() >= 20) {
    ip["inner"] = decode_ip(bytes, extent);
  } else if (protocol == gre && bytes.size() >= 4) {
    ip["gre"] = decode_gre(bytes, around, extent);
  } else {
    ip["l4"] = payload_field(bytes);
  }
}

Fields decode_ipv4(View packet, Extent extent) {
  const std::size_t header = std::min<std::size_t>(static_cast<std::size_t>(packet[0] & 15) * 4, packet.size());
  const std::size_t length = read16(packet, 2);
  const std::uint16_t fragmenting = read16(packet, 6);
  const View source = packet.subspan(12, 4);
  const View destination = packet.subspan(16, 4);
  Fields ip = {{"v", 4},
               {"src", address_text(source)},
               {"dst", address_text(destination)},
               {"proto", protocol_field(packet[9])},
               {"ttl", packet[8]},
               {"tos", packet[1]},
               {"id", read16(packet, 4)},
               {"df", fragmenting >> 14 & 1},
               {"len", length},
               {"hcsum_ok", internet_checksum(packet.first(header)) == 0}};
  if (header > 20) ip["ipopts"] = to_hex(packet.subspan(20, header - 20));
  const std::size_t offset = static_cast<std::size_t>(fragmenting & 0x1fff) * 8;
  const int more = fragmenting >> 13 & 1;
  if (offset != 0 || more != 0) {
    ip["mf"] = more;
    ip["off"] = offset;
  }
  const bool complete = packet.size() >= length;
  View body = packet.subspan(header);
  if (complete) body = body.first(length > header ? length - header : 0);
  if (offset != 0) {
    ip["frag_data"] = payload_field(body);
  } else {
    const bool verifiable = more == 0 && (complete || extent == Extent::whole);
    decode_transport(ip, packet[9], body, {source, destination, verifiable}, extent);
  }
  return ip;
}

// The chain of extension headers that are walked: hop-by-hop, routing, fragment and destination options (RFC 8200 §4).
struct Extensions {
  std::uint8_t next;
  std::size_t end = 40;
  Fields walked = Fields::array();
  bool fragmented = false;
  std::size_t offset = 0;
  int more = 0;
  std::uint32_t id = 0;
};

Extensions walk_extensions(View packet) {
  Extensions chain{.next = packet[6]};
  const auto is_extension = [](std::uint8_t next) {
    return next == hop_by_hop || next == routing || next == destination_options || next == fragment;
  };
  while (is_extension(chain.next) && chain.end + 8 <= packet.size()) {
    chain.walked.push_back(chain.next);
    const std::size_t at = chain.end;
    const bool is_fragment = chain.next == fragment;
    chain.next = packet[at];
    if (is_fragment) {
      chain.fragmented = true;
      chain.offset = read16(packet, at + 2) & 0xfff8U;
      chain.more = packet[at + 3] & 1;
      chain.id = read32(packet, at + 4);
      chain.end += 8;
      if (chain.offset != 0) break;
    } else {
      chain.end += 8 + static_cast<std::size_t>(packet[at + 1]) * 8;
    }
  }
  chain.end = std::min(chain.end, packet.size());
  return chain;
}

Fields decode_ipv6(View packet, Extent extent) {
  const std::uint32_t word = read32(packet, 0);
  const std::size_t length = read16(packet, 4);
  const View source = packet.subspan(8, 16);
  const View destination = packet.subspan(24, 16);
  const Extensions chain = walk_extensions(packet);
  Fields ip = {{"v", 6},
               {"src", address_text(source)},
               {"dst", address_text(destination)},
               {"proto", protocol_field(chain.next)},
               {"ttl", packet[7]},
               {"tos", word >> 20 & 0xff},
               {"flow", word & 0xfffff},
               {"len", length}};
  if (chain.fragmented) {
    ip["mf"] = chain.more;
    ip["off"] = chain.offset;
    ip["fid"] = chain.id;
  }
  if (!chain.walked.empty()) ip["ext"] = chain.walked;
  const bool complete = packet.size() >= 40 + length;
  View body = complete ? packet.first(40 + length) : packet;
  body = body.subspan(std::min(chain.end, body.size()));
  if (chain.offset != 0) {
    ip["frag_data"] = payload_field(body);
  } else {
    const bool verifiable = chain.more == 0 && (complete || extent == Extent::whole);
    decode_transport(ip, chain.next, body, {source, destination, verifiable}, extent);
  }
  return ip;
}

}  // namespace

Fields protocol_field(std::uint8_t number) {
  if (const auto name = protocol_name(number)) return *name;
  return number;
}

std::string address_text(View address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(address.size() == 4 ? AF_INET : AF_INET6, address.data(), text.data(), text.size());
  return text.data();
}

std::string to_hex(View bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

Fields decode_ip(View packet, Extent extent) {
  if (packet.size() < 20) return {{"short", to_hex(packet)}};
  if (packet[0] >> 4 == 4) return decode_ipv4(packet, extent);
  if (packet[0] >> 4 == 6 && packet.size() >= 40) return decode_ipv6(packet, extent);
  return {{"raw", to_hex(packet)}};
}

Fields decode_frame(View frame) {
  if (frame.size() < ethernet_header) return {{"short", to_hex(frame)}};
  Fields fields = {{"eth_dst", mac_text(frame.first(6))}, {"eth_src", mac_text(frame.subspan(6, 6))}};
  const std::uint16_t type = read16(frame, 12);
  const View body = frame.subspan(ethernet_header);
  if (type == ethertype_ipv4 || type == ethertype_ipv6) {
    fields["ip"] = decode_ip(body, Extent::whole);
  } else {
    fields["ethertype"] = fmt::format("{:04x}", type);
    fields["data"] = to_hex(body);
  }
  return fields;
}

}  // namespace penstock::golden
