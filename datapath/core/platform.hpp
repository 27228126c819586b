// What the packet path needs of the machine it runs on: the packet, the tables, the time. Three machines exist: XDP and TC
// (datapath/bpf) and native (datapath/native). A look-up that finds no row gives null; the packet path then counts a bug.
#pragma once

#include "datapath/abi/config.hpp"
#include "datapath/abi/interface.hpp"
#include "datapath/abi/local.hpp"
#include "datapath/abi/mark.hpp"
#include "datapath/abi/own.hpp"
#include "datapath/abi/punt.hpp"
#include "datapath/abi/reason.hpp"
#include "datapath/abi/server.hpp"
#include "datapath/abi/service.hpp"
#include "datapath/abi/shared.hpp"
#include "datapath/core/inline.hpp"
#include "datapath/core/wire.hpp"
#include "datapath/core/work.hpp"

namespace penstock {

// The packet path is cut into steps, which the kernel verifies one by one (ADR-0007): each is a function of the same name,
// name(P&, Work&), and the platform's verb run_name(work) leads there. A stage decides what becomes of the packet, or which stage
// goes on with it; balance() runs them one after another, so that their stacks don't add up.
// clang-format off
#define PEN_STAGES(X)                                                         \
  X(take_untagged)   /* a frame whose VLAN tag was taken off */               \
  X(take_unusual)    /* fragments, IPv6 extension headers */                  \
  X(take_icmp)       /* an ICMP error */                                      \
  X(take_tunnel_error) /* an ICMP error, maybe about a tunnel's packet */     \
  X(tell_tunnel_client) /* it is: work.tunnel_error */                        \
  X(take_client_error) /* an ICMP error, maybe about what a client got */     \
  X(tell_server)     /* an ICMP error for the real server of work.route */    \
  X(take_reply)      /* a packet from a real server */                        \
  X(seek_answered)   /* its connection is not where it probably is */         \
  X(take_stray)      /* one that is no reply */                               \
  X(take_request)    /* a packet with ports to a virtual address */           \
  X(take_expected)   /* a packet of no connection, maybe FTP's data */        \
  X(begin)           /* a packet of no connection */                          \
  X(choose_known)    /* a persistent service: where the client went before */ \
  X(choose)          /* a real server by the schedule */                      \
  X(keep_cache)      /* lblc, lblcr: where a destination went */              \
  X(forget_template) /* persistence: the one that can't be used */            \
  X(keep_template)   /* persistence: remember work.choice.server */           \
  X(claim_port)      /* fullnat: a local address and port */                  \
  X(connect)         /* a connection to work.choice.server */                 \
  X(go_stateless)    /* no free slot: by the hash alone */                    \
  X(bind_replies)    /* nat: so that the replies are found */                 \
  X(insert_reply)    /* nat: by a record */                                   \
  X(give_up)         /* the record work.claim */                              \
  X(forward)         /* along work.route */                                   \
  X(forward_nat)     /* along work.route */                                   \
  X(forward_tunnel)  /* along work.route */                                   \
  X(forward_fullnat) /* along work.route */                                   \
  X(forward_as_ipv4) /* along work.route: from IPv6 to IPv4 */                \
  X(answer_as_ipv6)  /* from IPv4 to the IPv6 client of work.claim */         \
  X(tell_client_as_ipv6) /* an ICMP error, the same ways */                   \
  X(tell_server_as_ipv4)                                                      \
  X(refuse)          /* answer with work.refusal */                           \
  X(punt)            /* hand the frame to the daemon: work.punt */

// Work that stages have done for them.
#define PEN_HELPERS(X)                                                           \
  X(find_room)          /* for work.insertion, where its buckets are full */     \
  X(insert)             /* work.insertion into the connection table */           \
  X(settle_insertion)   /* and what of it stays */                               \
  X(end_replies)        /* of the requests in work.ended */                      \
  X(move_reply)         /* the client of work.packet has moved */                \
  X(settle_reply)       /* the same of a reply's record */                       \
  X(seek_reply)         /* the record of replies that work.wanted names */       \
  X(match_rule)         /* whether mark rule work.rule means work.packet */      \
  X(find_mark)          /* the firewall mark of work.packet */                   \
  X(is_own)             /* whether work.asked is an address of the director */   \
  X(assure)             /* the template of work.packet's connection is in use */ \
  X(scan)               /* work.choice over its candidates */                    \
  X(try_port)           /* fullnat: one local address and port */                \
  X(remember_fragments) /* where the first of them went */                       \
  X(leave_tagged)       /* put on the VLAN tag work.tag */                       \
  X(first_word)         /* of the payload of work.packet, a TCP segment */       \
  X(shift_numbers)      /* FTP: in work.packet, as work.shifted says */          \
  X(shift_sacks)        /* and in its options, by work.shift */                  \
  X(sum)                /* of work.summed, folded */                             \
  X(crc_part)           /* work.crc over work.summed */                          \
  X(crc)                /* the SCTP checksum of work.packet */                    \
  X(change_syn)         /* work.syn into the options of work.packet */

// clang-format on
#define PEN_STEPS(X) PEN_STAGES(X) PEN_HELPERS(X)

// What becomes of a packet. The numbers are XDP's.
enum class Verdict : u32 { aborted = 0, drop = 1, pass = 2, transmit = 3, redirect = 4 };

// What comes next with a packet: a verdict, or the stage that goes on with it.
enum class Next : u32 {
  aborted = 0,
  drop = 1,
  pass = 2,
  transmit = 3,
  redirect = 4,
#define PEN_THEN(name) then_##name,
  PEN_STAGES(PEN_THEN)
#undef PEN_THEN
};

PEN_INLINE constexpr bool is_final(Next next) { return next <= Next::redirect; }

// What changes under a transport checksum, as sums of ~before + after (RFC 1624). A checksum that the sender has left to its
// network card covers the pseudo header only, so the two are told apart.
struct ChecksumChange {
  u64 pseudo_header;
  u64 rest;
  bool zero_is_none;  // UDP: a checksum of 0 is written as 0xffff
};

// Which headers a packet is put behind: what cuts it into the packets of the wire later has to know.
struct Wrapping {
  Family family;  // of the outer IP header
  u8 protocol;    // its next header
};

template <typename P>
concept Platform = requires(P p, const P cp, u32 index, u16* checksum, Family family, Work& work) {
  { cp.data() };             // u8*: first byte of the frame, to be read afresh after resize
  { cp.data_end() };         // u8*: one past the last byte that can be read there, of the frame or of its beginning
  { cp.length() };           // u32: bytes of the frame
  { p.reach(index) };        // bool: its first `index` bytes can be read, if it has them; counts as a resize
  { p.grow_head(index) };    // bool: room for `index` bytes before the IP packet; the Ethernet header is lost
  { p.shrink_head(index) };  // bool: `index` bytes less before and of the IP packet; the Ethernet header is lost
  { p.wrap(Wrapping{}, index) };              // bool: as grow_head, for outer headers
  { p.change_family(family, index, index) };  // bool: IP headers of so many bytes become so many of that family
  { p.open_head(index) };                     // bool: room for `index` bytes before the frame's first
  { p.grow_tail(index) };                     // bool: room for `index` bytes behind the frame's last
  { p.cut_to(index) };                        // bool: the frame is `index` bytes long now
  { p.is_tagged(be16{}) };   // bool: the frame has a VLAN tag; its EtherType, or what stands there, is given
  { p.take_tag() };          // VlanTag: the frame is without it afterwards; no type: there was none that could be taken
  { p.put_tag(VlanTag{}) };  // bool
  {
    cp.segment_payload()
  };  // u32: the frame is many packets of so many bytes behind the transport header; 0: it is one
  {
    p.owes_checksum(index)
  };  // bool: the transport checksum, which stands there, is still to be completed by whoever sends
  { p.change_checksum(checksum, index, ChecksumChange{}) };  // bool: the transport checksum there; counts as a resize
  { p.copy_frame(index, index) };  // bool: its first `index` bytes into row `index` of the punted frames
  { cp.fragments() };              // bool: what is too long for its way may be sent, and is fragmented
  { cp.was_counted() };            // bool: another run over the same packet has counted it
  { cp.now() };                    // u32: ticks
  { cp.config() };                 // const Config&
  { p.ingress_index() };           // u32: of the interface that the frame came in by
  { p.interface(index) };          // const Interface*
  { p.settings() };                // const Settings*
  { p.vip_filter() };              // const VipFilter*
  { p.shared() };                  // SharedState*
  { p.connection_bucket(index) };  // ConnectionBucket*
  { p.connection_tags(index) };    // u64*: the bucket's tag bytes
  { p.service_bucket(index) };     // ServiceBucket*
  { p.service_tags(index) };       // u64*
  { p.server(index) };             // const RealServer*
  { p.load(index) };               // ServerLoad*
  { p.counters(index) };           // ServerCounters* of this CPU
  { p.reason_counters() };         // ReasonCounters* of this CPU
  { p.next_hop(index) };           // const NextHop*
  { p.schedule_cell(index) };      // u64*
  { p.mark_rule(index) };          // const MarkRule*
  { p.own_prefixes() };            // const OwnPrefixes*
  { p.local_pool() };              // const LocalPool*
  { p.punted(index) };             // PuntedFrame*
  { p.work() };                    // Work* of this CPU
  { p.leave_by(index) };           // Next: out by the interface of that index
  { p.examine_all(work) };         // examine(p, packet, choice, i) for each i below choice.count, until it says true
#define PEN_STEP_VERB(name) {p.run_##name(work)};
  PEN_STEPS(PEN_STEP_VERB)
#undef PEN_STEP_VERB
};

}  // namespace penstock
