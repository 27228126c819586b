// FTP: the sequence numbers of a control connection in which a text got another length (abi/ftp.hpp). The real server's numbers are
// shifted on the way to the client, and what the client acknowledges of them on the way back, SACK blocks included (RFC 2018). As in
// conntrack's nf_ct_seq_adjust, which does it for IPVS.
#pragma once

#include "datapath/abi/ftp.hpp"
#include "datapath/core/reply.hpp"
#include "datapath/core/tcp_option.hpp"

namespace penstock {

PEN_INLINE bool is_behind(u32 number, u32 position) { return static_cast<s32>(number - position) > 0; }

PEN_INLINE s32 shift_behind(const Shift& shift) { return static_cast<s32>(shift.bytes << 8) >> 8; }
PEN_INLINE s32 last_change(const Shift& shift) { return static_cast<s32>(shift.bytes) >> 24; }
PEN_INLINE s32 shift_before(const Shift& shift) { return shift_behind(shift) - last_change(shift); }

PEN_INLINE u32 as_client_counts(const Shift& shift, u32 number) {
  return number + static_cast<u32>(is_behind(number, shift.position) ? shift_behind(shift) : shift_before(shift));
}

PEN_INLINE u32 as_server_counts(const Shift& shift, u32 number) {
  const u32 before = number - static_cast<u32>(shift_before(shift));
  return is_behind(before, shift.position) ? number - static_cast<u32>(shift_behind(shift)) : before;
}

PEN_INLINE FlowKey shift_key(const FlowKey& request) {
  FlowKey key = request;
  key.role = Role::shift;
  return key;
}

// A shift lives as long as its request.
PEN_INLINE void keep_along(const Settings& settings, const Flow& flow, u64 request_word) {
  const u32 state = state_of(request_word);
  const u32 expiry = expires_of(request_word);
  if (is_fresh(settings, flow.found.word, state, expiry)) return;
  compare_exchange(&flow.found.record->word, flow.found.word, with_state(flow.found.word, state, expiry));
}

// Of the connection of work.packet, whose request is work.route's record. Lives as long as that. A SYN begins anew, unshifted.
template <Platform P>
PEN_INLINE Shift shift_of(P& p, Work& work) {
  const Flow flow = find_flow(p, shift_key(work.packet.key), Guess::present);
  const Settings* settings = p.settings();
  if (!flow.found.record || !settings) return {};
  if (work.packet.tcp_flags & tcp_syn) {
    store_release(&flow.found.record->detail, u64{0});
    return {};
  }
  const Found<Connection> request = record_at(p, work.route.record);
  if (request.record && is_live(request.word)) keep_along(*settings, flow, request.word);
  return __builtin_bit_cast(Shift, flow.detail);
}

static constexpr u32 sack_edges_max = 8;
static constexpr u32 frame_mask = 0x3fff;  // options stand at any offset

// Its header is stale afterwards.
template <Platform P>
PEN_INLINE void change_tcp_checksum(P& p, const Packet& packet, u64 change) {
  auto* tcp = transport_header<TcpHeader>(p, packet);
  if (!tcp) return;
  static_cast<void>(p.change_checksum(&tcp->checksum,
                                      transport_offset(packet) + __builtin_offsetof(TcpHeader, checksum),
                                      {.pseudo_header = 0, .rest = change, .zero_is_none = false}));
}

// An edge of a SACK block stands at any offset, even or odd; its word's part of the sum goes by that.
PEN_INLINE u64 part_of_sum(u32 word, u32 offset) { return (offset & 1) ? static_cast<u64>(word) << 8 : word; }

struct SackEdge {
  u8 bytes[4];
};

// Shifts the edge at `offset` of the TCP header. What that adds to the checksum's sum.
template <Platform P>
PEN_INLINE u64 shift_edge(P& p, const Work& work, u32 offset) {
  auto* edge = header_at<SackEdge>(p, (work.packet.transport + offset) & frame_mask);
  if (!edge) return 0;
  u32 before = 0;
  for (u32 i = 0; i < 4; ++i) before |= static_cast<u32>(edge->bytes[i]) << (i * 8);
  const u32 after = __builtin_bswap32(as_server_counts(work.shift, __builtin_bswap32(before)));
  for (u32 i = 0; i < 4; ++i) edge->bytes[i] = static_cast<u8>(after >> (i * 8));
  return part_of_sum(~before, offset) + part_of_sum(after, offset);
}

// Where the SACK option stands in the TCP header; its length is 0 if there is none.
template <Platform P>
PEN_INLINE TcpOption find_sack(P& p, const Packet& packet, u32 end, u32& at) {
  at = sizeof(TcpHeader);
  PEN_ROLLED
  for (u32 i = 0; i < tcp_option_bytes_max && at + sizeof(TcpOption) <= end; ++i) {
    const auto* option = header_at<TcpOption>(p, (packet.transport + at) & frame_mask);
    if (!option || option->kind == tcp_option_end) break;
    if (option->kind == tcp_option_sack) return *option;
    at += option->kind == tcp_option_none ? 1U : option->length;
    if (option->kind != tcp_option_none && option->length < sizeof(TcpOption)) break;
  }
  return {};
}

// A helper: SACK blocks, by work.shift.
template <Platform P>
PEN_INLINE u32 shift_sacks(P& p, Work& work) {
  const auto* tcp = transport_header<TcpHeader>(p, work.packet);
  if (!tcp) return 0;
  const u32 end = (tcp->data_offset >> 4) * 4U;
  u32 at = 0;
  const TcpOption sack = find_sack(p, work.packet, end, at);
  u64 change = 0;
  PEN_ROLLED
  for (u32 i = 0; i < sack_edges_max; ++i) {
    const u32 edge = static_cast<u32>(sizeof(TcpOption)) + i * 4;
    if (edge + 4 > sack.length || at + edge + 4 > end) break;
    change += shift_edge(p, work, at + edge);
  }
  change_tcp_checksum(p, work.packet, change);
  return 0;
}

// The word in the header, and what that adds to the checksum's sum.
PEN_INLINE u64 rewrite(be32& word, u32 number) {
  const be32 before = word;
  word = big(number);
  return change_of_word(static_cast<u32>(before), static_cast<u32>(word));
}

// A helper, at the end of the packet's way: it is not called on the way, as stacks would add up. work.packet has the request's key.
template <Platform P>
PEN_INLINE u32 shift_numbers(P& p, Work& work) {
  work.shift = shift_of(p, work);
  auto* tcp = transport_header<TcpHeader>(p, work.packet);
  if (!tcp) return 0;
  if (work.shifted == Shifted::sequence) {
    change_tcp_checksum(p, work.packet, rewrite(tcp->sequence, as_client_counts(work.shift, host(tcp->sequence))));
    return 0;
  }
  if (!(tcp->flags & tcp_ack)) return 0;
  const bool has_options = tcp->data_offset >> 4 > sizeof(TcpHeader) / 4;
  const u32 number = as_server_counts(work.shift, host(tcp->acknowledgement));
  change_tcp_checksum(p, work.packet, rewrite(tcp->acknowledgement, number));
  if (has_options) p.run_shift_sacks(work);
  return 0;
}

}  // namespace penstock
