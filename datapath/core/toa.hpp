// The client's address for a real server behind fullnat: a TCP option (TOA; kind 254 unless set otherwise: length 8 or 20, port,
// address) in the client's segments from the one that completes the handshake until the server has answered.
#pragma once

#include "datapath/core/out.hpp"
#include "datapath/core/syn_options.hpp"

namespace penstock {

static constexpr u32 toa_bytes_ipv4 = 8;
static constexpr u32 toa_bytes_ipv6 = 20;
static constexpr u32 tcp_words_max = 15;

PEN_INLINE u32 toa_bytes(Family client) { return client == Family::ipv4 ? toa_bytes_ipv4 : toa_bytes_ipv6; }

// 0: clients are not told.
template <Platform P>
PEN_INLINE u32 toa_kind(P& p) {
  const Settings* settings = p.settings();
  return settings ? load_acquire(&settings->toa_kind) & 0xff : 0;
}

// Moves the headers before the options `bytes` to the front.
template <u32 headers, u32 bytes, Platform P>
PEN_INLINE bool open_gap(P& p) {
  if (!p.open_head(bytes)) return false;
  PEN_ROLLED
  for (u32 i = 0; i < headers / 2; ++i) {
    const u16* from = header_at<u16>(p, bytes + i * 2);
    u16* to = header_at<u16>(p, i * 2);
    if (!from || !to) return false;
    *to = *from;
  }
  return true;
}

// Both lengths of the packet, in the IP and in the TCP header, grow by `bytes`.
template <u32 ip_header, Platform P>
PEN_INLINE bool grow_lengths(P& p, const Packet& packet, u32 bytes) {
  const u16 length = static_cast<u16>(packet.ip_length + bytes);
  if constexpr (ip_header == sizeof(Ipv6Header)) {
    auto* ip = header_at<Ipv6Header>(p, network_offset);
    if (!ip) return false;
    ip->payload_length = big(static_cast<u16>(length - sizeof(Ipv6Header)));
    return true;
  } else {
    auto* ip = header_at<Ipv4Header>(p, network_offset);
    if (!ip) return false;
    const u16 before = static_cast<u16>(ip->length);
    ip->length = big(length);
    ip->checksum = updated_checksum(ip->checksum, before, static_cast<u16>(ip->length));
    return true;
  }
}

template <u32 tcp_offset, u32 bytes, Platform P>
PEN_INLINE bool write_toa(P& p, const FlowKey& client, u32 kind, u32 tcp_length) {
  static constexpr u32 at = tcp_offset + sizeof(TcpHeader);
  auto* head = header_at<u32>(p, at);
  auto* low = header_at<u32>(p, at + 4);
  if (!head || !low) return false;
  *head = kind | bytes << 8 | static_cast<u32>(client.client_port) << 16;
  *low = static_cast<u32>(client.client.low);
  u64 sum = static_cast<u64>(*head) + *low;
  if (bytes == toa_bytes_ipv6) {
    auto* second = header_at<u32>(p, at + 8);
    auto* third = header_at<u32>(p, at + 12);
    auto* fourth = header_at<u32>(p, at + 16);
    if (!second || !third || !fourth) return false;
    *second = static_cast<u32>(client.client.low >> 32);
    *third = static_cast<u32>(client.client.high);
    *fourth = static_cast<u32>(client.client.high >> 32);
    sum += static_cast<u64>(*second) + *third + *fourth;
  }
  // The data offset is the high half of its byte; the pseudo header's length grows, too.
  auto* tcp = header_at<TcpHeader>(p, tcp_offset);
  if (!tcp) return false;
  const u16 before = tcp->data_offset;
  tcp->data_offset = static_cast<u8>(tcp->data_offset + (bytes / 4 << 4));
  sum += static_cast<u16>(~before) + static_cast<u64>(tcp->data_offset);
  const u64 longer = static_cast<u16>(~static_cast<u16>(big(static_cast<u16>(tcp_length)))) +
                     static_cast<u64>(static_cast<u16>(big(static_cast<u16>(tcp_length + bytes))));
  return p.change_checksum(&tcp->checksum, tcp_offset + __builtin_offsetof(TcpHeader, checksum),
                           {.pseudo_header = longer, .rest = sum, .zero_is_none = false});
}

template <u32 ip_header, u32 bytes, Platform P>
PEN_INLINE bool add_toa(P& p, const Packet& packet, u32 kind, u32 mtu) {
  static constexpr u32 tcp_offset = network_offset + ip_header;
  if (owes_checksum(p, packet)) return false;  // it is computed from where the header stands now
  const auto* tcp = header_at<TcpHeader>(p, tcp_offset);
  const bool plain = packet.transport == tcp_offset;  // no IP options, no extension headers
  const bool fits = tcp && (tcp->data_offset >> 4) + bytes / 4 <= tcp_words_max && packet.ip_length + bytes <= mtu;
  return plain && fits && open_gap<tcp_offset + sizeof(TcpHeader), bytes>(p) &&
         grow_lengths<ip_header>(p, packet, bytes) &&
         write_toa<tcp_offset, bytes>(p, packet.key, kind, packet.ip_length - ip_header);
}

// A server's SYN+ACK to a client that will be told of, before it leaves: the client's segments are to have room.
template <Platform P>
PEN_INLINE void keep_room_for_toa(P& p, Work& work, Family client) {
  if (toa_kind(p) != 0) keep_room(p, work, toa_bytes(client));
}

// Whether work.packet is a segment that tells the client: from the handshake's end until the server has answered.
template <Platform P>
PEN_INLINE bool tells_client(P& p, const Work& work) {
  const Packet& packet = work.packet;
  if (!is_tcp(packet.key) || is_fragment(packet) || toa_kind(p) == 0) return false;
  return !(work.route.traits & trait_answered) && !(packet.tcp_flags & (tcp_syn | tcp_rst));
}

// Into a packet whose ends are written already. A segment that has no room goes without.
template <Platform P>
PEN_INLINE void tell_client(P& p, Work& work, u32 mtu) {
  const Packet& packet = work.packet;
  if (!tells_client(p, work)) return;
  const u32 kind = toa_kind(p);
  const bool told = packet.key.family == Family::ipv4
                        ? add_toa<sizeof(Ipv4Header), toa_bytes_ipv4>(p, packet, kind, mtu)
                        : add_toa<sizeof(Ipv6Header), toa_bytes_ipv6>(p, packet, kind, mtu);
  if (!told) count(p, Reason::toa_no_room);
}

// The same for an IPv6 client's packet that has become IPv4.
template <Platform P>
PEN_INLINE void tell_client_by_ipv4(P& p, Work& work, u32 mtu) {
  if (!tells_client(p, work)) return;
  if (!add_toa<sizeof(Ipv4Header), toa_bytes_ipv6>(p, work.packet, toa_kind(p), mtu)) count(p, Reason::toa_no_room);
}

}  // namespace penstock
