// FTP through nat (RFC 959, RFC 2428; IPVS: ip_vs_ftp): a control connection's text says where data connections will go. The packet
// path only sees that it does; the daemon reads the text (control/ftp.hpp, ADR-0011).
#pragma once

#include "datapath/core/classify.hpp"
#include "datapath/core/connection.hpp"
#include "datapath/core/parse.hpp"
#include "datapath/core/punt.hpp"
#include "datapath/core/until.hpp"

namespace penstock {

// Four characters, capitals as small letters.
constexpr u32 word_of(const char (&text)[5]) {
  u32 word = 0;
  for (u32 i = 0; i < 4; ++i) word |= static_cast<u32>(static_cast<u8>(text[i])) << (i * 8);
  return word | 0x20202020;
}

// A helper: the first four bytes of a segment's payload, capitals as small letters; 0: there are fewer.
template <Platform P>
PEN_INLINE u32 first_word(P& p, Work& work) {
  const Packet& packet = work.packet;
  const auto* tcp = transport_header<TcpHeader>(p, packet);
  if (!tcp) return 0;
  const u32 offset = packet.transport + (tcp->data_offset >> 4) * 4U;
  if (offset + sizeof(u32) > network_offset + packet.ip_length) return 0;
  const auto* word = header_at<u32>(p, (offset & transport_mask) | transport_remainder);
  return word ? *word | 0x20202020 : 0;
}

// The daemon's run over a segment comes after the text was read.
template <Platform P>
PEN_INLINE bool is_ftp_control(const P& p, const Packet& packet, const Flow& request) {
  return is_tcp(packet.key) && load_acquire(&request.found.record->key.vip_port) == ftp_port &&
         method_of(request.traits) == Method::nat && !is_fragment(packet) && !p.fragments();
}

// Data is expected, from a port of the client's choice: its record has the port 0, and is there for `timeout` ticks.
template <Platform P>
PEN_INLINE void note_expected(P& p, u32 timeout) {
  if (SharedState* shared = p.shared()) hold_until(&shared->expected_until, p.now() + timeout);
}

// Of a connection whose server's numbers are shifted (shift.hpp).
PEN_INLINE bool has_shifted_numbers(const Packet& packet, u8 traits) {
  return (traits & trait_mangled) && !packet.is_later_fragment;
}

// IPVS reads established connections only.
PEN_INLINE bool is_conversing(const Flow& request) {
  return state_of(request.found.word) == static_cast<u32>(TcpState::established);
}

// The real server says where it waits for data. What it says next must not overtake that, as its numbers depend on it.
template <Platform P>
PEN_INLINE bool announces(P& p, Work& work, const Flow& request) {
  if (!is_conversing(request)) return false;
  const u32 word = p.run_first_word(work);
  if (word != word_of("227 ") && word != word_of("229 ")) return false;
  set_trait(request.found.record, trait_announces);
  return true;
}

// The client says where it waits for data. What the kernel is to deliver or to send on goes to it unread: the daemon can't.
template <Platform P>
PEN_INLINE bool tells_port(P& p, Work& work, const Flow& request, const ServerRoute& route) {
  if (!is_ftp_control(p, work.packet, request) || !is_conversing(request)) return false;
  const u32 word = p.run_first_word(work);
  if (word != word_of("PORT") && word != word_of("EPRT")) return false;
  const NextHop* hop = p.next_hop(route.next_hop);
  return hop && hop->state == NextHopState::resolved;
}

}  // namespace penstock
