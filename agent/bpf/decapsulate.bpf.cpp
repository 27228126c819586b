// The receiving end of a tunnel, on a real server's interface: takes the outer headers of IPIP, GRE and GUE packets off and lets the
// inner packet go up as if it had come alone. Any family in any family. Only what was sent to an address of this host and leads to
// one of its VIPs; all else goes up untouched, to the kernel's own tunnels if it has any.
//
// Written once, built twice: XDP, and TC for interfaces where XDP is not to be had or would spoil packets (ADR-0012). XDP is a
// strict receiver: where the outer packet has a checksum of its own (GRE with C, GUE's UDP), a wrong one drops the packet. TC leaves
// that to the inner packet's checksum: there a packet may be many in one, with sums that nobody has computed yet.
// What a reader would get wrong: fragments of *outer* packets go up as they are, to the kernel, which has no use for them.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>

#include "agent/bpf/maps.hpp"
#include "datapath/bpf/helpers.hpp"

extern "C" {
PEN_ADDRESS_SET(vips);
PEN_ADDRESS_SET(own_addresses);
}

namespace penstock::agent {
namespace {

constexpr be16 gue_port = big(u16{6080});  // IANA's
constexpr u16 fragment_bits = 0x3fff;      // of IPv4: more fragments, or an offset
constexpr u16 gre_has_checksum = 0x8000;   // RFC 2784 §2.1; its other bits are reserved or of RFC 2890, and not for us
constexpr u32 payload_length_max = 4096;   // native XDP on veth takes no more than a page
// Ethernet, IPv4 with options, UDP, GUE with all its words, IPv6.
constexpr u32 headers_bytes_max = ETH_HLEN + 60 + 8 + 4 + 31 * 4 + 40;

struct GreHeader {
  be16 flags;
  be16 type;
};

struct GreChecksum {
  u16 checksum;
  u16 reserved;
};

// draft-ietf-intarea-gue §3.1, version 0
struct GueHeader {
  u8 version_control_words;  // 2 bits, 1 bit, 5 bits: words of options that follow
  u8 protocol;
  be16 flags;
};

// Where the outer IP header ends.
struct Outer {
  u32 offset;  // of its payload in the frame
  u32 length;  // of its payload
  u32 pseudo_sum;
  u16 type;  // as in the Ethernet header
  u8 protocol;
  AddressKey destination;
};

struct Inner {
  u32 offset;
  u16 type;  // as in the Ethernet header; 0: this is no tunnel packet
  bool has_checksum;
  u32 initial_sum;  // of what the checksum covers besides the outer payload
};

PEN_INLINE u32 fold(u32 sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  return (sum & 0xffff) + (sum >> 16);
}

// Whether `length` bytes from `offset` on, with `sum` before them, add up as RFC 1071 wants. A function of its own: its loop is verified once.
__attribute__((noinline)) int adds_up(const xdp_md* context, u32 offset, u32 length, u32 sum) {
  if (length > payload_length_max || offset > payload_length_max) return 0;
  offset &= ~1U;  // it is even: this is for the verifier of machines that can't read words elsewhere
  PEN_ROLLED
  for (u32 i = 0; i < payload_length_max / 2 && i * 2 + 1 < length; ++i) {
    const u16* word = header_at<u16>(context, offset + i * 2);
    if (!word) return 0;
    sum += *word;
  }
  if (length & 1) {
    const u8* last = header_at<u8>(context, offset + (length & (payload_length_max - 2)));
    if (!last) return 0;
    sum += *last;
  }
  return fold(sum) == 0xffff;
}

template <int Words>
PEN_INLINE u32 sum_of_addresses(const u32* words) {
  u32 sum = 0;
  for (int i = 0; i < Words; ++i) sum += (words[i] & 0xffff) + (words[i] >> 16);
  return sum;
}

PEN_INLINE u32 pseudo_sum(u32 addresses, u32 length, u8 protocol) {
  return addresses + static_cast<u16>(big(static_cast<u16>(length))) +
         static_cast<u16>(big(static_cast<u16>(protocol)));
}

PEN_INLINE AddressKey key_of(const in6_addr& address) {
  const u32* words = address.in6_u.u6_addr32;
  return {{words[0], words[1], words[2], words[3]}};
}

template <typename Context>
PEN_INLINE bool read_ipv4(const Context* context, Outer& outer) {
  const auto* ip = header_at<iphdr>(context, ETH_HLEN);
  if (!ip || ip->ihl < 5 || (host(static_cast<be16>(ip->frag_off)) & fragment_bits) != 0) return false;
  const u32 header_length = ip->ihl * 4U;
  outer.offset = ETH_HLEN + header_length;
  outer.length = host(static_cast<be16>(ip->tot_len)) - header_length;
  outer.protocol = ip->protocol;
  outer.pseudo_sum = pseudo_sum(sum_of_addresses<2>(&ip->saddr), outer.length, ip->protocol);
  outer.destination = mapped(ip->daddr);
  return true;
}

template <typename Context>
PEN_INLINE bool read_ipv6(const Context* context, Outer& outer) {
  const auto* ip = header_at<ipv6hdr>(context, ETH_HLEN);
  if (!ip) return false;
  outer.offset = ETH_HLEN + sizeof(ipv6hdr);
  outer.length = host(static_cast<be16>(ip->payload_len));
  outer.protocol = ip->nexthdr;
  outer.pseudo_sum = pseudo_sum(sum_of_addresses<8>(ip->saddr.in6_u.u6_addr32), outer.length, ip->nexthdr);
  outer.destination = key_of(ip->daddr);
  return true;
}

template <typename Context>
PEN_INLINE bool read_outer(const Context* context, Outer& outer) {
  const auto* ethernet = header_at<ethhdr>(context, 0);
  if (!ethernet) return false;
  outer.type = host(static_cast<be16>(ethernet->h_proto));
  return outer.type == ETH_P_IP ? read_ipv4(context, outer) : outer.type == ETH_P_IPV6 && read_ipv6(context, outer);
}

PEN_INLINE u16 type_of(u8 protocol) {
  return protocol == IPPROTO_IPIP ? ETH_P_IP : protocol == IPPROTO_IPV6 ? ETH_P_IPV6 : 0;
}

template <typename Context>
PEN_INLINE Inner read_gre(const Context* context, const Outer& outer) {
  const auto* gre = header_at<GreHeader>(context, outer.offset);
  if (!gre) return {};
  const u16 flags = host(gre->flags);
  const u16 type = host(gre->type);
  if ((flags & ~gre_has_checksum) != 0 || (type != ETH_P_IP && type != ETH_P_IPV6)) return {};
  const u32 bytes = sizeof(GreHeader) + (flags != 0 ? sizeof(GreChecksum) : 0);
  return {.offset = outer.offset + bytes, .type = type, .has_checksum = flags != 0, .initial_sum = 0};
}

template <typename Context>
PEN_INLINE Inner read_gue(const Context* context, const Outer& outer) {
  const auto* udp = header_at<udphdr>(context, outer.offset);
  const auto* gue = header_at<GueHeader>(context, outer.offset + static_cast<u32>(sizeof(udphdr)));
  if (!udp || !gue || static_cast<be16>(udp->dest) != gue_port || (gue->version_control_words & 0xe0) != 0) return {};
  const u32 options_length = (gue->version_control_words & 0x1fU) * 4;
  return {.offset = outer.offset + static_cast<u32>(sizeof(udphdr) + sizeof(GueHeader)) + options_length,
          .type = type_of(gue->protocol),
          .has_checksum = udp->check != 0,
          .initial_sum = outer.pseudo_sum};
}

template <typename Context>
PEN_INLINE Inner find_inner(const Context* context, const Outer& outer) {
  switch (outer.protocol) {
    case IPPROTO_IPIP:
    case IPPROTO_IPV6:
      return {.offset = outer.offset, .type = type_of(outer.protocol), .has_checksum = false, .initial_sum = 0};
    case IPPROTO_GRE:
      return read_gre(context, outer);
    case IPPROTO_UDP:
      return read_gue(context, outer);
    default:
      return {};
  }
}

template <typename Context>
PEN_INLINE bool leads_to_vip(const Context* context, const Inner& inner) {
  AddressKey destination{};
  if (inner.type == ETH_P_IP) {
    const auto* ip = header_at<iphdr>(context, inner.offset);
    if (!ip) return false;
    destination = mapped(ip->daddr);
  } else {
    const auto* ip = header_at<ipv6hdr>(context, inner.offset);
    if (!ip) return false;
    destination = key_of(ip->daddr);
  }
  return find(&vips, &destination) != nullptr;
}

// The packet within, or one of type 0.
template <typename Context>
PEN_INLINE Inner find_ours(const Context* context, Outer& outer) {
  if (!read_outer(context, outer)) return {};
  const Inner inner = find_inner(context, outer);
  if (inner.type == 0 || !find(&own_addresses, &outer.destination) || !leads_to_vip(context, inner)) return {};
  return inner;
}

// The Ethernet header moves up to the inner packet.
PEN_INLINE int go_up(xdp_md* context, const Inner& inner) {
  const auto* before = header_at<ethhdr>(context, 0);
  if (!before) return XDP_PASS;
  const ethhdr ethernet = *before;
  if (helpers::xdp_adjust_head(context, static_cast<int>(inner.offset - ETH_HLEN)) != 0) return XDP_DROP;
  auto* after = header_at<ethhdr>(context, 0);
  if (!after) return XDP_DROP;
  *after = ethernet;
  after->h_proto = static_cast<u16>(big(inner.type));
  return XDP_PASS;
}

PEN_INLINE int receive(xdp_md* context) {
  Outer outer{};
  const Inner inner = find_ours(context, outer);
  if (inner.type == 0) return XDP_PASS;
  if (inner.has_checksum && adds_up(context, outer.offset, outer.length, inner.initial_sum) == 0) return XDP_DROP;
  return go_up(context, inner);
}

// Changing the protocol is what tells the kernel of another family; it makes the outer header 20 bytes longer or shorter.
PEN_INLINE bool take_family(__sk_buff* context, u16 outer, u16 inner, int& excess) {
  if (outer == inner) return true;
  if (helpers::skb_change_proto(context, big(inner)) != 0) return false;
  excess += inner == ETH_P_IPV6 ? 20 : -20;
  return true;
}

// By the helper's defaults the kernel forgets that it had found the outer packet's checksum right, and checks the inner one's.
PEN_INLINE int go_up(__sk_buff* context, const Outer& outer, const Inner& inner) {
  int excess = static_cast<int>(inner.offset - ETH_HLEN);
  if (!take_family(context, outer.type, inner.type, excess)) return TC_ACT_SHOT;
  // IPv4 in bare IPv6 has become 20 bytes shorter, and the next 20 go here.
  if (excess > 0 && helpers::skb_adjust_room(context, -excess, BPF_F_ADJ_ROOM_FIXED_GSO) != 0) return TC_ACT_SHOT;
  auto* ethernet = header_at<ethhdr>(context, 0);
  if (!ethernet) return TC_ACT_SHOT;
  ethernet->h_proto = static_cast<u16>(big(inner.type));
  return TC_ACT_UNSPEC;
}

PEN_INLINE int receive(__sk_buff* context) {
  const u32 bytes = context->len < headers_bytes_max ? context->len : headers_bytes_max;
  if (helpers::skb_pull_data(context, bytes) != 0) return TC_ACT_UNSPEC;
  Outer outer{};
  const Inner inner = find_ours(context, outer);
  return inner.type == 0 ? TC_ACT_UNSPEC : go_up(context, outer, inner);
}

}  // namespace
}  // namespace penstock::agent

extern "C" {

PEN_SECTION("xdp") int pen_decap_xdp(xdp_md* context) { return penstock::agent::receive(context); }

// TC_ACT_UNSPEC: the filters behind this one have their say, too.
PEN_SECTION("tc") int pen_decap_tc(__sk_buff* context) { return penstock::agent::receive(context); }

PEN_SECTION("license") char penstock_license[] = "Dual MIT/GPL";
}
