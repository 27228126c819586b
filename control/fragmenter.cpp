#include "control/fragmenter.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "datapath/core/checksum.hpp"
#include "datapath/core/vlan.hpp"
#include "datapath/core/wire.hpp"

namespace penstock::control {
namespace {

using Bytes = std::vector<u8>;
using View = std::span<const u8>;

constexpr std::size_t unit = 8;                 // fragments begin at multiples of it
constexpr std::size_t offset_units_max = 8191;  // 13 bits

template <typename Header>
std::optional<Header> header_in(View bytes, std::size_t at) {
  if (at + sizeof(Header) > bytes.size()) return std::nullopt;
  Header header;
  std::memcpy(&header, bytes.data() + at, sizeof header);
  return header;
}

template <typename Header>
void put(Bytes& bytes, std::size_t at, const Header& header) {
  std::memcpy(bytes.data() + at, &header, sizeof header);
}

void append(Bytes& to, View bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

// Where the IP header begins, and of which family it is.
struct Network {
  std::size_t offset;
  be16 type;
};

std::optional<Network> network_in(View frame) {
  const auto ethernet = header_in<EthernetHeader>(frame, 0);
  if (!ethernet) return std::nullopt;
  Network network{.offset = sizeof(EthernetHeader), .type = ethernet->type};
  while (is_tag(network.type)) {
    const auto inner = header_in<be16>(frame, network.offset + sizeof(VlanTag) - sizeof(be16));
    if (!inner) return std::nullopt;
    network.type = *inner;
    network.offset += sizeof(VlanTag);
  }
  return network;
}

// A datagram, or a fragment of one, taken apart.
struct Datagram {
  View headers;            // repeated in every fragment, Ethernet's included
  View payload;            // to be cut
  std::size_t first_unit;  // of the payload in the whole datagram
  bool more;               // fragments follow this one
};

struct Piece {
  View payload;
  u16 unit;
  bool is_first;
  bool more;
};

// Nothing if a piece would have no room or lie beyond what an offset can say.
std::vector<Piece> cut(const Datagram& datagram, std::size_t room) {
  const std::size_t most = room / unit * unit;
  if (most == 0) return {};
  std::vector<Piece> pieces;
  for (View left = datagram.payload; !left.empty();) {
    const bool is_last = left.size() <= room;
    const View payload = left.first(is_last ? left.size() : most);
    const std::size_t units = datagram.first_unit + (datagram.payload.size() - left.size()) / unit;
    if (units > offset_units_max) return {};
    pieces.push_back({.payload = payload,
                      .unit = static_cast<u16>(units),
                      .is_first = pieces.empty(),
                      .more = datagram.more || !is_last});
    left = left.subspan(payload.size());
  }
  return pieces;
}

constexpr u8 option_end = 0;
constexpr u8 option_none = 1;
constexpr u8 option_copied = 0x80;

// RFC 791 §3.1: only options with the copied flag go into fragments after the first. The others become no-operations, so that
// all headers are of one length (Linux: ip_options_fragment).
void blank_options(std::span<u8> options) {
  while (!options.empty() && options[0] != option_end) {
    if (options[0] == option_none) {
      options = options.subspan(1);
      continue;
    }
    const std::size_t length = options.size() > 1 ? options[1] : 0;
    if (length < 2 || length > options.size()) return;
    if ((options[0] & option_copied) == 0) std::ranges::fill(options.first(length), option_none);
    options = options.subspan(length);
  }
}

u16 checksum_of(View header) {
  u64 sum = 0;
  for (std::size_t at = 0; at + sizeof(u32) <= header.size(); at += sizeof(u32)) sum += *header_in<u32>(header, at);
  return static_cast<u16>(~fold(sum));
}

Bytes ipv4_frame(const Datagram& datagram, std::size_t offset, const Piece& piece) {
  Bytes frame(datagram.headers.begin(), datagram.headers.end());
  const auto header = std::span(frame).subspan(offset);
  if (!piece.is_first) blank_options(header.subspan(sizeof(Ipv4Header)));
  auto ip = *header_in<Ipv4Header>(frame, offset);
  ip.length = big(static_cast<u16>(header.size() + piece.payload.size()));
  ip.fragment = big(static_cast<u16>(piece.unit | (piece.more ? ipv4_more_fragments : 0)));
  ip.checksum = 0;
  put(frame, offset, ip);
  ip.checksum = checksum_of(header);
  put(frame, offset, ip);
  append(frame, piece.payload);
  return frame;
}

std::vector<Bytes> fragment_ipv4(View frame, std::size_t offset, u32 mtu) {
  const auto ip = header_in<Ipv4Header>(frame, offset);
  if (!ip) return {};
  const std::size_t header = (ip->version_and_words & 0x0fU) * 4;
  const std::size_t length = host(ip->length);
  if (header < sizeof(Ipv4Header) || length < header || offset + length > frame.size()) return {};
  if (length <= mtu) return {Bytes(frame.begin(), frame.end())};
  const u16 field = host(ip->fragment);
  if ((field & host(ipv4_dont_fragment)) != 0 || mtu < header) return {};
  const Datagram datagram{.headers = frame.first(offset + header),
                          .payload = frame.subspan(offset + header, length - header),
                          .first_unit = static_cast<std::size_t>(field & ipv4_fragment_offset),
                          .more = (field & ipv4_more_fragments) != 0};
  std::vector<Bytes> frames;
  for (const Piece& piece : cut(datagram, mtu - header)) frames.push_back(ipv4_frame(datagram, offset, piece));
  return frames;
}

constexpr u8 hop_by_hop = 0;
constexpr u8 routing = 43;
constexpr u8 destination_options = 60;
constexpr std::size_t next_header_in_ipv6 = 6;

// What the routers on the way look at stays before the fragment header: the same that Linux takes for it (ip6_find_1stfragopt).
struct Unfragmentable {
  std::size_t end;       // where a fragment header stands or is put
  std::size_t names_it;  // position of the "next header" that says so
};

std::optional<Unfragmentable> unfragmentable_in(View frame, std::size_t offset) {
  Unfragmentable part{.end = offset + sizeof(Ipv6Header), .names_it = offset + next_header_in_ipv6};
  for (bool routed = false;;) {
    if (part.end + 2 > frame.size()) return std::nullopt;
    const u8 type = frame[part.names_it];
    const bool stays = type == hop_by_hop || type == routing || (type == destination_options && !routed);
    if (!stays) return part;
    routed = routed || type == routing;
    part.names_it = part.end;
    part.end += (frame[part.end + 1] + 1U) * unit;
  }
}

constexpr u16 ipv6_more_fragments = 1;  // the offset's units of 8 leave the low three bits free

Bytes ipv6_frame(const Datagram& datagram, std::size_t offset, Ipv6Fragment header, const Piece& piece) {
  Bytes frame(datagram.headers.begin(), datagram.headers.end());
  header.offset = big(static_cast<u16>(piece.unit * unit | (piece.more ? ipv6_more_fragments : 0U)));
  put(frame, frame.size() - sizeof header, header);
  append(frame, piece.payload);
  auto ip = *header_in<Ipv6Header>(frame, offset);
  ip.payload_length = big(static_cast<u16>(frame.size() - offset - sizeof(Ipv6Header)));
  put(frame, offset, ip);
  return frame;
}

std::vector<Bytes> fragment_ipv6(View frame, std::size_t offset, u32 mtu, u32 id) {
  const auto ip = header_in<Ipv6Header>(frame, offset);
  if (!ip) return {};
  const std::size_t length = sizeof(Ipv6Header) + host(ip->payload_length);
  if (offset + length > frame.size()) return {};
  if (length <= mtu) return {Bytes(frame.begin(), frame.end())};
  const View packet = frame.first(offset + length);  // without Ethernet's padding
  const auto part = unfragmentable_in(packet, offset);
  if (!part) return {};
  const u8 follows = packet[part->names_it];
  const bool is_fragment = follows == protocol_ipv6_fragment;
  const auto present = header_in<Ipv6Fragment>(packet, part->end);
  if (is_fragment && !present) return {};
  const Ipv6Fragment header =
      is_fragment ? *present
                  : Ipv6Fragment{.next_header = follows, .reserved = 0, .offset = {}, .id = static_cast<u32>(big(id))};

  Bytes headers(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(part->end));
  headers[part->names_it] = protocol_ipv6_fragment;
  headers.resize(headers.size() + sizeof header);
  const std::size_t room_taken = headers.size() - offset;
  if (mtu < room_taken) return {};
  const u16 field = host(header.offset);
  const Datagram datagram{.headers = headers,
                          .payload = packet.subspan(part->end + (is_fragment ? sizeof header : 0)),
                          .first_unit = static_cast<std::size_t>(field / unit),
                          .more = (field & ipv6_more_fragments) != 0};
  std::vector<Bytes> frames;
  for (const Piece& piece : cut(datagram, mtu - room_taken))
    frames.push_back(ipv6_frame(datagram, offset, header, piece));
  return frames;
}

}  // namespace

std::vector<std::vector<u8>> fragment(std::span<const u8> frame, u32 mtu, u32 id) {
  const auto network = network_in(frame);
  if (!network) return {};
  if (network->type == ethertype_ipv4) return fragment_ipv4(frame, network->offset, mtu);
  if (network->type == ethertype_ipv6) return fragment_ipv6(frame, network->offset, mtu, id);
  return {};
}

}  // namespace penstock::control
