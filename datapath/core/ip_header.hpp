// IP headers that the director writes: around a packet (tunnels), or in place of another one (translate_family.hpp).
#pragma once

#include "datapath/core/checksum.hpp"
#include "datapath/core/ends.hpp"

namespace penstock {

struct IpHeader {
  AddressImage source;
  AddressImage destination;
  u32 length;     // of the whole packet
  be16 id;        // IPv4, as well as the next
  be16 fragment;  // flags and offset
  u8 protocol;
  u8 tos;
  u8 ttl;
};

template <Platform P>
PEN_INLINE bool write_ipv4(P& p, u32 offset, const IpHeader& header) {
  auto* ip = header_at<Ipv4Header>(p, offset);
  if (!ip) return false;
  ip->version_and_words = 0x45;
  ip->tos = header.tos;
  ip->length = big(static_cast<u16>(header.length));
  ip->id = header.id;
  ip->fragment = header.fragment;
  ip->ttl = header.ttl;
  ip->protocol = header.protocol;
  ip->source = static_cast<u32>(header.source.low);
  ip->destination = static_cast<u32>(header.destination.low);
  const u64 sum = 0x45 + (static_cast<u64>(ip->tos) << 8) + static_cast<u16>(ip->length) + static_cast<u16>(ip->id) +
                  static_cast<u16>(ip->fragment) + ip->ttl + (static_cast<u64>(ip->protocol) << 8) + ip->source +
                  ip->destination;
  ip->checksum = static_cast<u16>(~fold(sum));
  return true;
}

template <Platform P>
PEN_INLINE bool write_ipv6(P& p, u32 offset, const IpHeader& header) {
  auto* ip = header_at<Ipv6Header>(p, offset);
  if (!ip) return false;
  ip->version_class_label[0] = static_cast<u8>(0x60 | header.tos >> 4);
  ip->version_class_label[1] = static_cast<u8>(header.tos << 4);
  ip->version_class_label[2] = 0;
  ip->version_class_label[3] = 0;
  ip->payload_length = big(static_cast<u16>(header.length - sizeof(Ipv6Header)));
  ip->next_header = header.protocol;
  ip->hop_limit = header.ttl;
  store_address(ip->source, header.source);
  store_address(ip->destination, header.destination);
  return true;
}

}  // namespace penstock
