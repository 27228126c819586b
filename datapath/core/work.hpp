// All that the packet path keeps while it works on one packet. One Work for each CPU, in memory that the steps share: the kernel
// verifies every step by itself, and a step takes nothing but this (ADR-0007).
#pragma once

#include "datapath/abi/ftp.hpp"
#include "datapath/abi/punt.hpp"
#include "datapath/abi/service.hpp"
#include "datapath/core/packet.hpp"
#include "datapath/core/room.hpp"

namespace penstock {

enum class IcmpError : u8 { port_unreachable, time_exceeded, too_big, relayed };

// An ICMP error to be sent about the packet in hand.
struct Refusal {
  u32 mtu;     // for too_big; for `relayed` the second word of its header, in host order
  u32 server;  // whose connection the packet belongs to, or no_slot
  IcmpError error;
  u8 type;  // of `relayed`
  u8 code;
  bool from_director;  // to a real server: from the director's address on the way there, not the virtual one
  u32 interface;       // leave by this one; 0: the one that the packet came in by
};

// A router's word on the packet of a tunnel.
struct TunnelError {
  AddressImage tunnel_end;  // where that packet went
  u32 offset;               // in the frame, of the packet that is carried in it
  u32 overhead;             // bytes of the quoted tunnel's headers
  u32 word;                 // the second of the error's header, in host order
  u32 mtu;                  // 0: not about the length
  u8 type;
  u8 code;
  bool may_fragment;  // the tunnel's packet
  u8 zero;
};

// The connection of the packet in hand, as far as forwarding needs it.
struct Route {
  u32 server;  // slot
  u32 next_hop;
  u32 record;  // its place in the table; no_record: none (one-packet scheduling, full table)
  u8 traits;
  u8 local_address;
  be16 local_port;
};
static constexpr u32 no_record = ~0U;

// A record to be inserted, and what became of it.
struct Insertion {
  Connection content;  // word is ignored
  u64 hash;            // of the key; a reply's record: of work.wanted
  u32 state;
  u32 timeout;   // ticks
  bool evicts;   // half-open connections give way to it
  bool saved;    // result: a record of that key stands in the table
  bool is_ours;  // result: it is this one, not another CPU's
  u8 zero[5];
  u32 record;  // result: place of the one that stands
  u32 owner;   // result: and what its word says of it (table.hpp)
};

// FTP: which numbers of the packet in hand are to be shifted when it is on its way.
enum class Shifted : u8 { none, sequence, acknowledgement };

// Choosing a real server: what is asked, how far the scan is, what came of it.
struct Choice {
  ScheduleRef schedule;
  ScheduleHead head;
  u64 best_load;     // least: the load of `server`
  s64 best_weight;   // and its weight
  s64 total_weight;  // twos
  s64 draw[2];       // twos: what is left of each draw
  u32 drawn[2];      // twos: the servers that they fell on
  u32 count;         // candidates to look at
  u32 start;         // where they begin
  u32 server;        // result: a slot, or no_slot
  u32 looked_at;     // result: index of the candidate that ended the scan
  be16 hash_port;    // sh-port and mh-port: the client's port, else 0
  u16 zero;
  u32 what;  // a ScanFor
};

// What find_service found. Copied, so that the record may change meanwhile.
struct Offer {
  ScheduleRef schedule;
  u32 exists;
  u32 id;
  u32 flags;
  u32 persistence_ticks;
  u32 netmask;
  u32 mark;   // by which it was found, or 0
  be16 port;  // the service's own; 0: of all ports
  be16 zero[3];
};

// A request that ended: its reply's record must follow.
struct Ended {
  FlowKey key;
  u64 belonging;  // the eight bytes from Connection.server on
};
static constexpr u32 ended_max = 4;  // for one packet: superseded, expired, evicted, lost to another CPU's

// What the step `change_syn` does to the options of a TCP segment with SYN (syn_options.hpp).
struct SynChange {
  u32 mss_cut;  // the segment size becomes less by this
  u32 mss_max;  // and is no more than this
  u32 bytes;    // while at it: of all options
  u32 left;     // of the option in hand that are still to come
  u32 blanks;   // whether they become no-operations
  bool hides_timestamps;
  u8 zero[3];
  u64 sum;  // while at it: of all changes, for the checksum
};

// Bytes of the frame that the step `sum` adds up.
struct Summed {
  u32 begin;
  u32 length;
};

// What is to be done when the packet's own fate is settled. Most leave nothing, which is known by one look.
struct alignas(4) Aftermath {
  u16 ended;       // so many of Work::ended
  bool assures;    // the connection was established, or answered: its template is to know
  bool remembers;  // a first fragment: the others are to follow it
};

struct Work {
  Packet packet;
  // What begin_work() clears, close together:
  VlanTag tag;  // that the frame leaves with; no type: none
  Aftermath after;
  bool to_us;          // what the gate said (classify.hpp)
  bool caches;         // what lblc or lblcr is to remember stands in `insertion`
  bool is_persistent;  // the connection to be is made by a template
  Shifted shifted;
  bool is_expected;  // it is FTP's data, of which its control connection told
  bool is_sought;    // of a real server: its connection is `sought`

  Packet quote;  // of an ICMP error
  Route route;
  Offer offer;
  Choice choice;
  Insertion insertion;
  Refusal refusal;
  Ended ended[ended_max];
  AddressImage asked;  // of work.packet's family, for the helper `is_own`
  FlowKey fragment;    // the first fragment's
  Peer claim;      // fullnat: the reply's record that holds the local port; or a reply's request, from stage to stage
  FlowKey wanted;  // for the step `seek_reply`
  Peer sought;     // result: of that step, and of `seek_answered`
  u32 verdict;     // for the step `leave_tagged`
  Summed summed;
  SynChange syn;
  Punt punt;
  u32 rule;  // for the step `match_rule`
  u32 crc;   // so far, for the step `crc_part`
  u32 zero_2;
  Room room;  // for work.insertion
  TunnelError tunnel_error;
  Shift shift;  // for the step `shift_sacks`
};

}  // namespace penstock
