// What the packet path needs of the machine it runs on: the packet, the tables, the time. Two platforms exist: BPF
// (datapath/bpf) and native (datapath/native). A look-up that finds no row gives null; the packet path then counts a bug.
#pragma once

#include "datapath/abi/config.hpp"
#include "datapath/abi/interface.hpp"
#include "datapath/abi/reason.hpp"
#include "datapath/abi/server.hpp"
#include "datapath/abi/service.hpp"
#include "datapath/core/inline.hpp"

namespace penstock {

// What becomes of a packet. The numbers are XDP's.
enum class Verdict : u32 { aborted = 0, drop = 1, pass = 2, transmit = 3, redirect = 4 };

struct Packet;     // core/packet.hpp
struct Insertion;  // core/connection.hpp

template <typename P>
concept Platform = requires(P p, const P cp, u32 index, const Packet& packet, Insertion& insertion) {
  { cp.data() };                    // u8*: first byte of the frame, to be read afresh after resize
  { cp.data_end() };                // u8*: one past its last byte
  { p.grow_head(index) };           // bool: room for `index` bytes before the frame's first
  { p.cut_to(index) };              // bool: the frame is `index` bytes long now
  { cp.now() };                     // u32: ticks
  { cp.config() };                  // const Config&
  { p.ingress() };                  // const Interface* the frame came in by
  { p.settings() };                 // const Settings*
  { p.vip_filter() };               // const VipFilter*
  { p.connection_bucket(index) };   // ConnectionBucket*
  { p.connection_tags(index) };     // u64*: the bucket's tag bytes
  { p.half_open_bucket(index) };    // ConnectionBucket*
  { p.half_open_tags(index) };      // u64*
  { p.service_bucket(index) };      // ServiceBucket*
  { p.service_tags(index) };        // u64*
  { p.server(index) };              // const RealServer*
  { p.load(index) };                // ServerLoad*
  { p.counters(index) };            // ServerCounters* of this CPU
  { p.reason_counters() };          // ReasonCounters* of this CPU
  { p.next_hop(index) };            // const NextHop*
  { p.schedule_cell(index) };       // u64*
  { p.leave_by(index) };            // Verdict: out by the interface of that index
  { p.insert(packet, insertion) };  // insert_connection(p, …), where the machine can do it best
};

}  // namespace penstock
