// Frames that the packet path hands to the daemon, because they must wait (a fragment before its first) or leave as several
// (larger than the next hop's MTU, and may be fragmented), or because their text is to be read (FTP). The daemon takes them
// through the native packet path and sends them.
#pragma once

#include "datapath/abi/types.hpp"

namespace penstock {

static constexpr u32 punted_max = 256;         // rows
static constexpr u32 punted_bytes_max = 9216;  // of a frame

enum class Punt : u32 {
  early_fragment = 0,
  fragmentation = 1,
  ftp_text = 2,      // says where data will go: the real server, or the client
  ftp_follower = 3,  // from the real server, after such a text that the daemon has not read yet
};

// word: 0 free · 1 being written · 2 for the daemon. Taken by compare-and-swap.
static constexpr u64 punt_free = 0;
static constexpr u64 punt_claimed = 1;
static constexpr u64 punt_ready = 2;

struct alignas(64) PuntedFrame {
  u64 word;
  u32 length;
  u32 interface;  // that it came in by
  u32 ticks;      // when
  Punt why;
  u32 owes_checksum;  // 1: its transport checksum holds the pseudo header's sum only (core/owed.hpp)
  be16 tag_type;      // of the VLAN tag that was taken off; 0: none
  be16 tag_control;
  u64 reserved[4];
  u8 bytes[punted_bytes_max];
};
static_assert(sizeof(PuntedFrame) == 64 + punted_bytes_max);

}  // namespace penstock
