// The state machines of TCP and SCTP as IPVS has them (net/netfilter/ipvs/ip_vs_proto_tcp.c, ip_vs_proto_sctp.c). The packet path
// reads a table out of Settings; the tables themselves are the control plane's (control/transitions.hpp).
#pragma once

#include "datapath/core/branchless.hpp"
#include "datapath/core/packet.hpp"
#include "datapath/core/wire.hpp"

namespace penstock {

PEN_INLINE constexpr u32 one_of(TcpState state) { return 1U << static_cast<u32>(state); }
PEN_INLINE constexpr u32 one_of(SctpState state) { return 1U << static_cast<u32>(state); }

// IPVS: active connections are TCP's in ESTABLISHED, SYN_SENT, SYN_RECV, SYNACK, and SCTP's in ESTABLISHED. Into LISTEN nothing but
// FTP's data connections come, which are active from the beginning (ip_vs_tcp_conn_listen).
static constexpr u32 tcp_active_states = one_of(TcpState::established) | one_of(TcpState::syn_sent) |
                                         one_of(TcpState::syn_recv) | one_of(TcpState::synack) |
                                         one_of(TcpState::listen);
static constexpr u32 sctp_active_states = one_of(SctpState::established);

// Before the handshake is complete: the first to go when the table is full.
static constexpr u32 tcp_half_open_states =
    one_of(TcpState::syn_sent) | one_of(TcpState::syn_recv) | one_of(TcpState::synack) | one_of(TcpState::listen);
static constexpr u32 sctp_half_open_states = one_of(SctpState::init1) | one_of(SctpState::init) |
                                             one_of(SctpState::cookie_sent) | one_of(SctpState::cookie_replied) |
                                             one_of(SctpState::cookie_wait) | one_of(SctpState::cookie) |
                                             one_of(SctpState::cookie_echoed);

PEN_INLINE bool is_tcp(const FlowKey& key) { return key.protocol == protocol_tcp; }
PEN_INLINE bool is_sctp(const FlowKey& key) { return key.protocol == protocol_sctp; }

PEN_INLINE u32 active_states_of(u8 protocol) {
  return protocol == protocol_tcp ? tcp_active_states : protocol == protocol_sctp ? sctp_active_states : 0;
}

PEN_INLINE u64 half_open_states_of(u8 protocol) {
  return one_if_equal(protocol, protocol_tcp) * tcp_half_open_states |
         one_if_equal(protocol, protocol_sctp) * sctp_half_open_states;
}

PEN_INLINE bool is_active(const FlowKey& key, u32 state) { return (active_states_of(key.protocol) >> state & 1) != 0; }

PEN_INLINE bool is_established(const FlowKey& key, u32 state) {
  return (is_tcp(key) && state == static_cast<u32>(TcpState::established)) ||
         (is_sctp(key) && state == static_cast<u32>(SctpState::established));
}

// Events by the flags FIN 1, SYN 2, RST 4 and, moved to 8, ACK; four bits each. RST before SYN before FIN before ACK.
constexpr u64 tcp_events_by_flags() {
  u64 packed = 0;
  for (u32 flags = 0; flags < 16; ++flags) {
    const TcpEvent event = flags & 4   ? TcpEvent::rst
                           : flags & 2 ? TcpEvent::syn
                           : flags & 1 ? TcpEvent::fin
                           : flags & 8 ? TcpEvent::ack
                                       : TcpEvent::none;
    packed |= static_cast<u64>(event) << (flags * 4);
  }
  return packed;
}

PEN_INLINE u8 tcp_event(u8 flags) {
  static constexpr u64 events = tcp_events_by_flags();
  const u32 index = (flags & 7U) | (flags >> 1 & 8U);
  return static_cast<u8>(events >> (index * 4) & 0xf);
}

// Events by the type of a packet's first chunk (RFC 9260 §3.2), four bits each. Types that aren't listed count as data.
constexpr u64 sctp_events_by_chunk() {
  using enum SctpEvent;
  const SctpEvent events[16] = {data,  init,     init_ack,          data,  data,        data,
                                abort, shutdown, shutdown_ack,      error, cookie_echo, cookie_ack,
                                data,  data,     shutdown_complete, data};
  u64 packed = 0;
  for (u32 type = 0; type < 16; ++type) packed |= static_cast<u64>(events[type]) << (type * 4);
  return packed;
}

PEN_INLINE u8 sctp_event(u8 chunk_type) {
  static constexpr u64 events = sctp_events_by_chunk();
  return chunk_type < 16 ? static_cast<u8>(events >> (chunk_type * 4) & 0xf) : static_cast<u8>(SctpEvent::data);
}

PEN_INLINE u32 next_state(u64 row, u32 state) { return static_cast<u32>(row >> (state * 4) & 0xf); }

}  // namespace penstock
