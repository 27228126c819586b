// The two ends of a packet, and giving it others: what nat and fullnat do in both directions.
#pragma once

#include "datapath/core/checksum.hpp"
#include "datapath/core/connection.hpp"
#include "datapath/core/owed.hpp"
#include "datapath/core/parse.hpp"

namespace penstock {

struct Ends {
  AddressImage source;
  AddressImage destination;
  be16 source_port;
  be16 destination_port;
};

PEN_INLINE Ends ends_of(const FlowKey& key) {
  return {
      .source = key.client, .destination = key.vip, .source_port = key.client_port, .destination_port = key.vip_port};
}

// What to add to a sum when `from` becomes `to` (RFC 1624): ~from + to, in ones' complement.
PEN_INLINE u64 change_of_word(u32 from, u32 to) { return static_cast<u64>(static_cast<u32>(~from)) + to; }

PEN_INLINE u64 change_of_address(const AddressImage& from, const AddressImage& to) {
  return change_of_word(static_cast<u32>(from.low), static_cast<u32>(to.low)) +
         change_of_word(static_cast<u32>(from.low >> 32), static_cast<u32>(to.low >> 32)) +
         change_of_word(static_cast<u32>(from.high), static_cast<u32>(to.high)) +
         change_of_word(static_cast<u32>(from.high >> 32), static_cast<u32>(to.high >> 32));
}

PEN_INLINE u64 change_of_addresses(const Ends& from, const Ends& to) {
  return change_of_address(from.source, to.source) + change_of_address(from.destination, to.destination);
}

// Of one family before and after: IPv4's addresses are one word each.
PEN_INLINE u64 change_of_addresses(Family family, const Ends& from, const Ends& to) {
  if (family == Family::ipv6) return change_of_addresses(from, to);
  return change_of_word(static_cast<u32>(from.source.low), static_cast<u32>(to.source.low)) +
         change_of_word(static_cast<u32>(from.destination.low), static_cast<u32>(to.destination.low));
}

PEN_INLINE u64 change_of_ports(const Ends& from, const Ends& to) {
  return static_cast<u64>(static_cast<u16>(~static_cast<u16>(from.source_port))) + static_cast<u16>(to.source_port) +
         static_cast<u16>(~static_cast<u16>(from.destination_port)) + static_cast<u16>(to.destination_port);
}

PEN_INLINE void store_address(u32 (&to)[4], const AddressImage& from) {
  to[0] = static_cast<u32>(from.low);
  to[1] = static_cast<u32>(from.low >> 32);
  to[2] = static_cast<u32>(from.high);
  to[3] = static_cast<u32>(from.high >> 32);
}

// `change`: of the addresses, to a sum of them.
template <Platform P>
PEN_INLINE bool write_addresses(P& p, u32 offset, Family family, const Ends& to, u64 change) {
  if (family == Family::ipv6) {
    auto* ip = header_at<Ipv6Header>(p, offset);
    if (!ip) return false;
    store_address(ip->source, to.source);
    store_address(ip->destination, to.destination);
    return true;
  }
  auto* ip = header_at<Ipv4Header>(p, offset);
  if (!ip) return false;
  ip->source = static_cast<u32>(to.source.low);
  ip->destination = static_cast<u32>(to.destination.low);
  ip->checksum = changed_checksum(ip->checksum, change);
  return true;
}

// A UDP checksum of 0 says that there is none; IPVS's nat makes one (ip_vs_proto_udp.c).
template <Platform P>
PEN_INLINE bool make_udp_checksum(P& p, Work& work, const Ends& to) {
  const Packet& packet = work.packet;
  if (packet.is_first_fragment) return true;  // covers what isn't here
  const u32 length = network_offset + packet.ip_length - packet.transport;
  const u64 sum =
      sum_of(p, work, packet.transport, length) + sum_of_pseudo_header(to.source, to.destination, protocol_udp, length);
  auto* udp = transport_header<UdpHeader>(p, packet);
  if (!udp) return false;
  const u16 checksum = static_cast<u16>(~fold(sum));
  udp->checksum = checksum == 0 ? 0xffff : checksum;
  return true;
}

// `change_of_addresses`: to a sum of them.
template <Platform P>
PEN_INLINE bool write_transport(P& p, Work& work, const Ends& from, const Ends& to, u64 change_of_addresses) {
  const Packet& packet = work.packet;
  auto* ports = transport_header<PortsHeader>(p, packet);
  if (!ports) return false;
  ports->source = to.source_port;
  ports->destination = to.destination_port;
  const u32 checksum_offset = transport_offset(packet) + checksum_within(packet.key);
  const ChecksumChange change{
      .pseudo_header = change_of_addresses, .rest = change_of_ports(from, to), .zero_is_none = !is_tcp(packet.key)};
  if (is_tcp(packet.key)) {
    auto* tcp = transport_header<TcpHeader>(p, packet);
    return tcp && p.change_checksum(&tcp->checksum, checksum_offset, change);
  }
  if (is_sctp(packet.key)) {
    const bool same = from.source_port == to.source_port && from.destination_port == to.destination_port;
    if (packet.is_first_fragment)
      return true;  // the checksum is over what isn't here: the server will drop the datagram
    return same || p.owes_checksum(checksum_offset) || p.run_crc(work) != 0;
  }
  auto* udp = transport_header<UdpHeader>(p, packet);
  if (!udp) return false;
  if (udp->checksum == 0) return make_udp_checksum(p, work, to);
  return p.change_checksum(&udp->checksum, checksum_offset, change);
}

// Gives the packet in hand other ends of the same family. False: it is too short after all.
template <Platform P>
PEN_INLINE bool write_ends(P& p, Work& work, const Ends& from, const Ends& to) {
  const Packet& packet = work.packet;
  const u64 change = change_of_addresses(packet.key.family, from, to);
  if (!write_addresses(p, network_offset, packet.key.family, to, change)) return false;
  if (packet.is_later_fragment || packet.is_portless) return true;
  return write_transport(p, work, from, to, change);
}

}  // namespace penstock
