// TCP as IPVS sees it from one side (INPUT-ONLY, net/netfilter/ipvs/ip_vs_proto_tcp.c; spec: tables of 11 states): with direct
// forwarding the director never sees a reply.
#pragma once

#include "datapath/abi/connection.hpp"
#include "datapath/core/inline.hpp"
#include "datapath/core/wire.hpp"

namespace penstock {

// One row of a transition table: the next state for each state, four bits each.
struct TcpRow {
  u64 packed;
};

namespace tcp_row {

using enum TcpState;

struct Next {
  TcpState from[tcp_states];
};

constexpr TcpRow pack(const Next& next) {
  u64 packed = 0;
  for (u32 state = 0; state < tcp_states; ++state) packed |= static_cast<u64>(next.from[state]) << (state * 4);
  return {packed};
}

// From:                               none  established syn_sent syn_recv fin_wait time_wait close close_wait last_ack listen synack
static constexpr TcpRow syn = pack({{syn_recv, established, established, syn_recv, syn_recv, syn_recv, syn_recv,
                                     syn_recv, syn_recv, syn_recv, syn_recv}});
static constexpr TcpRow fin =
    pack({{close, fin_wait, syn_sent, time_wait, fin_wait, time_wait, close, close_wait, last_ack, listen, time_wait}});
static constexpr TcpRow ack = pack({{established, established, syn_sent, established, fin_wait, time_wait, close,
                                     close_wait, close, listen, established}});
static constexpr TcpRow rst =
    pack({{close, close, close, syn_recv, close, close, close, close, last_ack, listen, close}});
static constexpr TcpRow other = pack({{close, close, close, close, close, close, close, close, close, close, close}});

}  // namespace tcp_row

// IPVS: RST before SYN before FIN before ACK; none of them closes.
PEN_INLINE TcpState next_tcp_state(TcpState state, u8 flags) {
  TcpRow row = tcp_row::other;
  if (flags & tcp_ack) row = tcp_row::ack;
  if (flags & tcp_fin) row = tcp_row::fin;
  if (flags & tcp_syn) row = tcp_row::syn;
  if (flags & tcp_rst) row = tcp_row::rst;
  return static_cast<TcpState>(row.packed >> (static_cast<u32>(state) * 4) & 0xf);
}

// IPVS: active connections are those in ESTABLISHED, SYN_SENT, SYN_RECV, SYNACK.
PEN_INLINE bool is_active(TcpState state) {
  return state == TcpState::established || state == TcpState::syn_sent || state == TcpState::syn_recv ||
         state == TcpState::synack;
}

// Before the handshake is complete a connection lives in the region of the half-open ones.
PEN_INLINE bool is_half_open(TcpState state) {
  return state == TcpState::syn_sent || state == TcpState::syn_recv || state == TcpState::synack;
}

}  // namespace penstock
