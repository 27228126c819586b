#include "tests/golden/stack_model.hpp"

#include <algorithm>
#include <optional>

#include "tests/golden/frame.hpp"
#include "tests/golden/packet.hpp"

namespace penstock::golden {

namespace {

constexpr std::uint16_t some_id = 0x5057;            // the kernel counts or hashes; never compared
constexpr std::size_t icmp_size_max = 576;           // RFC 1812 §4.3.2.3
constexpr std::size_t icmp6_size_max = 1280;         // RFC 4443 §2.4 (c)
constexpr std::uint8_t internetwork_control = 0xc0;  // Linux: the precedence of its ICMP errors

struct IcmpError {
  std::uint8_t type;
  std::uint8_t code;
  std::uint32_t rest = 0;
};

Bytes message(const IcmpError& error, View quote) {
  Bytes bytes(8);
  bytes[0] = error.type;
  bytes[1] = error.code;
  write32(bytes, 4, error.rest);
  append(bytes, quote);
  return bytes;
}

Bytes icmp_error(const Packet& packet, const model::Address& from, const IcmpError& error) {
  const std::size_t headers = packet.is_ipv4() ? 28 : 48;
  const std::size_t room = (packet.is_ipv4() ? icmp_size_max : icmp6_size_max) - headers;
  const View quote = View(packet.bytes).first(std::min(room, packet.bytes.size()));
  const auto tos = static_cast<std::uint8_t>((packet.tos & 0x1e) | internetwork_control);
  return build_packet({.source = from,
                       .destination = packet.source,
                       .protocol = packet.is_ipv4() ? protocol::icmp : protocol::icmp6,
                       .tos = packet.is_ipv4() ? tos : std::uint8_t{0},
                       .id = some_id,
                       .transport = message(error, quote)});
}

// No error is sent about an error (RFC 1812 §4.3.2.7, RFC 4443 §2.4 (e)).
bool is_icmp_error(const Packet& packet) {
  const View bytes = packet.transport();
  if (bytes.empty()) return false;
  if (packet.protocol == protocol::icmp) return bytes[0] != 0 && bytes[0] != 8;
  return packet.protocol == protocol::icmp6 && bytes[0] < 128;
}

bool checksum_holds(const Packet& packet, View covered) {
  if (packet.protocol == protocol::icmp) return internet_checksum(covered) == 0;
  return transport_checksum(address_bytes(packet.source), address_bytes(packet.destination), packet.protocol,
                            covered) == 0;
}

enum TcpFlag : std::uint8_t { fin = 1, syn = 2, rst = 4, ack = 16 };

// RFC 9293 §3.10.7.1: a segment for a closed port is answered with a reset, which is never answered itself.
std::optional<Bytes> answer_tcp(const Packet& packet) {
  const View segment = packet.transport();
  if (segment.size() < 20) return std::nullopt;
  const std::size_t header = static_cast<std::size_t>(segment[12] >> 4) * 4;
  if (header < 20 || header > segment.size() || !checksum_holds(packet, segment)) return std::nullopt;
  const std::uint8_t flags = segment[13];
  if ((flags & rst) != 0) return std::nullopt;
  Bytes reset(20);
  write16(reset, 0, read16(segment, 2));
  write16(reset, 2, read16(segment, 0));
  reset[12] = 5 << 4;
  if ((flags & ack) != 0) {
    write32(reset, 4, read32(segment, 8));
    reset[13] = rst;
  } else {
    const std::size_t length = segment.size() - header + ((flags & syn) != 0) + ((flags & fin) != 0);
    write32(reset, 8, read32(segment, 4) + static_cast<std::uint32_t>(length));
    reset[13] = rst | ack;
  }
  return build_packet({.source = packet.destination,
                       .destination = packet.source,
                       .protocol = protocol::tcp,
                       .tos = packet.is_ipv4() ? packet.tos : std::uint8_t{0},
                       .dont_fragment = true,
                       .transport = reset});
}

std::optional<Bytes> answer_udp(const Packet& packet) {
  const View datagram = packet.transport();
  if (datagram.size() < 8) return std::nullopt;
  const std::size_t length = read16(datagram, 4);
  if (length < 8 || length > datagram.size()) return std::nullopt;
  const bool unchecked = packet.is_ipv4() && read16(datagram, 6) == 0;
  if (!unchecked && !checksum_holds(packet, datagram.first(length))) return std::nullopt;
  const IcmpError port_unreachable = packet.is_ipv4() ? IcmpError{3, 3} : IcmpError{1, 4};
  return icmp_error(packet, packet.destination, port_unreachable);
}

std::optional<Bytes> answer_icmp(const Packet& packet) {
  const View request = packet.transport();
  const std::uint8_t echo_request = packet.is_ipv4() ? 8 : 128;
  const std::uint8_t echo_reply = packet.is_ipv4() ? 0 : 129;
  if (request.size() < 8 || request[0] != echo_request || !checksum_holds(packet, request)) return std::nullopt;
  Bytes reply(request.begin(), request.end());
  reply[0] = echo_reply;
  return build_packet({.source = packet.destination,
                       .destination = packet.source,
                       .protocol = packet.protocol,
                       .tos = packet.is_ipv4() ? packet.tos : std::uint8_t{0},
                       .id = some_id,
                       .transport = reply});
}

std::optional<Bytes> answer_locally(const Packet& packet) {
  const std::uint8_t own_icmp = packet.is_ipv4() ? protocol::icmp : protocol::icmp6;
  if (packet.protocol == protocol::tcp) return answer_tcp(packet);
  if (packet.protocol == protocol::udp) return answer_udp(packet);
  if (packet.protocol == own_icmp) return answer_icmp(packet);
  const IcmpError unknown_protocol =
      packet.is_ipv4() ? IcmpError{3, 2} : IcmpError{4, 1, static_cast<std::uint32_t>(packet.protocol_at)};
  return icmp_error(packet, packet.destination, unknown_protocol);
}

// Addresses that no packet from a wire can have (Linux: martians).
bool is_martian(const Packet& packet, const Topology& topology) {
  const auto& bytes = packet.source.bytes;
  if (is_loopback(packet.source) || is_loopback(packet.destination)) return true;
  if (!packet.is_ipv4()) return bytes[0] == 0xff || packet.source == model::Address{model::Family::ipv6, {}};
  return bytes[0] == 0 || bytes[0] >= 224 || topology.is_local(packet.source);
}

bool is_group_address(const model::Address& address) {
  return address.family == model::Family::ipv4 ? address.bytes[0] >= 224 : address.bytes[0] == 0xff;
}

Bytes framed(const Hop& hop, View packet) {
  Bytes frame(hop.destination.begin(), hop.destination.end());
  append(frame, hop.source);
  const std::uint16_t type = packet[0] >> 4 == 4 ? ethertype_ipv4 : ethertype_ipv6;
  frame.push_back(static_cast<std::uint8_t>(type >> 8));
  frame.push_back(static_cast<std::uint8_t>(type));
  append(frame, packet);
  return frame;
}

// The director's own address towards whoever sent the packet.
std::optional<model::Address> own_address(const Topology& topology, const model::Address& peer) {
  const auto hop = topology.hop(peer);
  if (!hop) return std::nullopt;
  for (const auto& address : topology.addresses[static_cast<std::size_t>(hop->interface)]) {
    if (address.family == peer.family) return address;
  }
  return std::nullopt;
}

std::optional<Bytes> refuse_to_route(const Topology& topology, const Packet& packet, const IcmpError& error) {
  if (is_icmp_error(packet)) return std::nullopt;
  const auto from = own_address(topology, packet.source);
  if (!from) return std::nullopt;
  return icmp_error(packet, *from, error);
}

}  // namespace

StackModel::Outcome StackModel::receive(Interface in, View frame) {
  if (frame.size() < ethernet_header) return {};
  const auto& own_mac = topology_.mac[static_cast<std::size_t>(in)];
  if (!std::equal(own_mac.begin(), own_mac.end(), frame.begin())) return {};
  const auto packet = parse_packet(frame.subspan(ethernet_header));
  if (!packet || is_martian(*packet, topology_)) return {};
  if (topology_.is_local(packet->destination)) return deliver(*packet);
  if (is_group_address(packet->destination)) return {};
  return route(*packet);
}

StackModel::Outcome StackModel::deliver(const Packet& packet) {
  if (!packet.fragment) return {.frames = send(answer_locally(packet)), .own = true};
  const auto datagram = gather(packet);
  if (!datagram) return {};
  return {.frames = send(answer_locally(*datagram)), .own = true};
}

// Whoever gets a datagram's last missing fragment gets the datagram.
std::optional<Packet> StackModel::gather(const Packet& fragment) {
  auto& fragments = waiting_[datagram_of(fragment)];
  fragments.push_back(fragment);
  const auto datagram = reassemble(fragments);
  if (!datagram) return std::nullopt;
  waiting_.erase(datagram_of(fragment));
  return parse_packet(*datagram);
}

StackModel::Outcome StackModel::route(const Packet& packet) const {
  const auto hop = topology_.hop(packet.destination);
  if (!hop) return {};
  const auto refuse = [&](const IcmpError& error) {
    return Outcome{.frames = send(refuse_to_route(topology_, packet, error)), .own = true};
  };
  if (packet.ttl <= 1) return refuse(packet.is_ipv4() ? IcmpError{11, 0} : IcmpError{3, 0});
  const std::uint32_t mtu = mtu_[static_cast<std::size_t>(hop->interface)];
  if (packet.bytes.size() > mtu && packet.dont_fragment)
    return refuse(packet.is_ipv4() ? IcmpError{3, 4, mtu} : IcmpError{2, 0, mtu});
  return {.frames = send(one_hop_further(packet)), .own = false};
}

// An IPv6 packet is never larger than the MTU here: routed ones were refused, and answers are as large as what they answer.
std::vector<Sent> StackModel::send(const std::optional<Bytes>& bytes) const {
  const auto packet = bytes ? parse_packet(*bytes) : std::nullopt;
  const auto hop = packet ? topology_.hop(packet->destination) : std::nullopt;
  if (!hop) return {};
  const std::uint32_t mtu = mtu_[static_cast<std::size_t>(hop->interface)];
  if (packet->bytes.size() <= mtu || !packet->is_ipv4())
    return {{.interface = hop->interface, .frame = framed(*hop, packet->bytes)}};
  std::vector<Sent> frames;
  for (const Bytes& piece : cut(*packet, mtu)) {
    frames.push_back({.interface = hop->interface, .frame = framed(*hop, piece)});
  }
  return frames;
}

}  // namespace penstock::golden
