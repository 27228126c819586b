// Behind fullnat the options of a SYN, and of the SYN+ACK that answers it, say other things than their senders did (dpvs:
// tcp_in_remove_ts, tcp_out_adjust_mss).
//   timestamps    taken out of the client's SYN, so that neither side uses them. Many clients come from one local address, each
//                 with a clock of its own; a real server that meets a port again would take an earlier clock for an old segment
//                 (PAWS, RFC 7323 §5).
//   segment size  of the real server's SYN+ACK, because it bounds what the *client* sends, to which the director adds its option
//                 (toa.hpp). Who adds options makes the data less by them (RFC 6691 §2); the director can't, so the client must.
//                 The client's SYN bounds what the server sends, to which nothing is added: it stays.
#pragma once

#include "datapath/core/ends.hpp"
#include "datapath/core/tcp_option.hpp"

namespace penstock {

// Smaller ones are not made even smaller (Linux: TCP_MIN_MSS).
static constexpr u32 tcp_mss_min = 88;
static constexpr u32 tcp_mss_any = 0xffff;

// The byte at `offset` becomes `to`. A byte at an even place of its segment is the first of its word, and segments begin at even
// places of a frame.
template <Platform P>
PEN_INLINE void put_byte(P& p, SynChange& change, u32 offset, u8 to) {
  auto* at = header_at<u8>(p, offset);
  if (!at) return;
  const u32 shift = (offset & 1) * 8;
  const u64 added = static_cast<u64>(static_cast<u16>(~(*at << shift))) + static_cast<u64>(to << shift);
  *at = to;
  store_release(&change.sum, load_acquire(&change.sum) + added);
}

PEN_INLINE u32 changed_mss(const SynChange& change, u32 mss) {
  const u32 less = mss > change.mss_cut ? mss - change.mss_cut : 0;
  const u32 wanted = less < change.mss_max ? less : change.mss_max;
  const u32 allowed = wanted < tcp_mss_min ? tcp_mss_min : wanted;
  return allowed < mss ? allowed : mss;
}

template <Platform P>
PEN_INLINE void change_mss(P& p, SynChange& change, u32 offset) {
  const auto* high = header_at<u8>(p, offset);
  const auto* low = header_at<u8>(p, offset + 1);
  if (!high || !low) return;
  const u32 mss = changed_mss(change, static_cast<u32>(*high << 8 | *low));
  put_byte(p, change, offset, static_cast<u8>(mss >> 8));
  put_byte(p, change, offset + 1, static_cast<u8>(mss));
}

// The options of work.packet; none if the segment's lengths contradict each other.
template <Platform P>
PEN_INLINE u32 option_bytes(const P& p, const Packet& packet) {
  const auto* tcp = transport_header<TcpHeader>(p, packet);
  const u32 header = tcp ? (tcp->data_offset >> 4) * 4U : 0;
  const bool sound = header >= sizeof(TcpHeader) && packet.transport + header <= network_offset + packet.ip_length;
  return sound ? header - static_cast<u32>(sizeof(TcpHeader)) : 0;
}

// One byte of the options, the `i`-th, at `offset`. How many there are, what of an option is still to come and what the changes sum
// to stands in work.syn: read from memory each time, it is anything to the verifier, which so sees one state for each byte instead
// of one for each way there. False: the list ends, or what comes is no option, and a receiver would stop as well (Linux:
// tcp_parse_options).
template <Platform P>
PEN_INLINE bool change_option_byte(P& p, SynChange& change, u32 offset, u32 i) {
  const auto* at = header_at<u8>(p, offset);
  if (!at) return false;
  const u32 left = load_acquire(&change.left);
  if (left != 0) {
    store_release(&change.left, left - 1);
    if (load_acquire(&change.blanks) != 0) put_byte(p, change, offset, tcp_option_none);
    return true;
  }
  const u8 kind = *at;
  if (kind == tcp_option_end) return false;
  if (kind == tcp_option_none) return true;
  const auto* length_at = header_at<u8>(p, offset + 1);
  const u8 length = length_at ? *length_at : u8{0};
  if (length < 2 || i + length > load_acquire(&change.bytes)) return false;
  const bool blanks = change.hides_timestamps && kind == tcp_option_timestamps && length == tcp_timestamps_bytes;
  if (blanks) put_byte(p, change, offset, tcp_option_none);
  if (kind == tcp_option_mss && length == tcp_mss_bytes) change_mss(p, change, offset + 2);
  store_release(&change.blanks, static_cast<u32>(blanks));
  store_release(&change.left, length - 1U);
  return true;
}

// A helper: work.syn into the options of work.packet.
template <Platform P>
PEN_INLINE u32 change_syn(P& p, Work& work) {
  const Packet& packet = work.packet;
  const u32 begin = transport_offset(packet) + static_cast<u32>(sizeof(TcpHeader));
  store_release(&work.syn.bytes, option_bytes(p, packet));
  store_release(&work.syn.left, 0U);
  store_release(&work.syn.sum, u64{0});
  PEN_ROLLED
  for (u32 i = 0; i < tcp_option_bytes_max && i < load_acquire(&work.syn.bytes); ++i)
    if (!change_option_byte(p, work.syn, begin + i, i)) break;
  auto* tcp = transport_header<TcpHeader>(p, packet);
  const u32 checksum_offset = transport_offset(packet) + checksum_within(packet.key);
  const ChecksumChange changed{.pseudo_header = 0, .rest = load_acquire(&work.syn.sum), .zero_is_none = false};
  return tcp && p.change_checksum(&tcp->checksum, checksum_offset, changed);
}

// The client's, on its way to the real server. `mss_max`: of what the client can be sent.
template <Platform P>
PEN_INLINE void hide_client_clock(P& p, Work& work, u32 mss_max = tcp_mss_any) {
  if (!is_tcp(work.packet.key) || !(work.packet.tcp_flags & tcp_syn)) return;
  work.syn = {.mss_cut = 0,
              .mss_max = mss_max,
              .bytes = 0,
              .left = 0,
              .blanks = 0,
              .hides_timestamps = true,
              .zero = {},
              .sum = 0};
  p.run_change_syn(work);
}

// The real server's, on its way to the client: segments that come will be longer by so many bytes before they reach the server.
template <Platform P>
PEN_INLINE void keep_room(P& p, Work& work, u32 bytes) {
  if (!is_tcp(work.packet.key) || !(work.packet.tcp_flags & tcp_syn)) return;
  work.syn = {.mss_cut = bytes,
              .mss_max = tcp_mss_any,
              .bytes = 0,
              .left = 0,
              .blanks = 0,
              .hides_timestamps = false,
              .zero = {},
              .sum = 0};
  p.run_change_syn(work);
}

}  // namespace penstock
