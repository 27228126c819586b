// SCTP's checksum (RFC 9260 Appendix A): CRC32c, over the whole packet with the checksum field as zeros.
#pragma once

#include "datapath/core/parse.hpp"

namespace penstock {

struct Crc32cTable {
  u32 entry[256];
};

constexpr Crc32cTable make_crc32c_table() {
  Crc32cTable table{};
  for (u32 byte = 0; byte < 256; ++byte) {
    u32 value = byte;
    for (u32 bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ 0x82f63b78U : value >> 1;
    table.entry[byte] = value;
  }
  return table;
}

static constexpr Crc32cTable crc32c_table = make_crc32c_table();

static constexpr u32 crc_parts_max = 144;  // of 64 bytes: frames of 9216
static constexpr u32 crc_part_bytes = 64;

// A step: takes work.summed, at most 64 bytes, into work.crc.
template <Platform P>
PEN_INLINE u32 crc_part(P& p, Work& work) {
  const u32 begin = (work.summed.begin & transport_mask) | transport_remainder;
  const u32 length = work.summed.length;
  u32 value = work.crc;
  PEN_ROLLED
  for (u32 i = 0; i < crc_part_bytes && i < length; ++i) {
    const u8* byte = header_at<u8>(p, begin + i);
    if (!byte) break;
    value = value >> 8 ^ crc32c_table.entry[(value ^ *byte) & 0xff];
  }
  work.crc = value;
  return 0;
}

// A step: writes the packet's checksum. 0: the packet is too short.
template <Platform P>
PEN_INLINE u32 crc(P& p, Work& work) {
  if (!p.reach(network_offset + work.packet.ip_length)) return 0;
  auto* sctp = transport_header<SctpHeader>(p, work.packet);
  if (!sctp) return 0;
  sctp->checksum = 0;
  const u32 length = network_offset + work.packet.ip_length - work.packet.transport;
  work.crc = ~0U;
  PEN_ROLLED
  for (u32 i = 0; i < crc_parts_max && i * crc_part_bytes < length; ++i) {
    const u32 done = i * crc_part_bytes;
    work.summed = {.begin = work.packet.transport + done, .length = length - done};
    p.run_crc_part(work);
  }
  sctp = transport_header<SctpHeader>(p, work.packet);
  if (!sctp) return 0;
  sctp->checksum = ~work.crc;
  return 1;
}

}  // namespace penstock
