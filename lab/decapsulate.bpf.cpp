// The receiving end of a tunnel, as XDP on a real server's interface: takes the outer headers of IPIP, GRE and GUE packets off and
// lets the inner packet go up as if it had come alone. Any family in any family. What is no tunnel packet goes up untouched.
//
// It is a strict receiver: where the outer packet has a checksum of its own (GRE with C, GUE's UDP), a wrong one drops the packet.
// What a reader would get wrong: fragments of *outer* packets go up as they are, to the kernel, which has no use for them.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include "datapath/abi/types.hpp"
#include "datapath/core/inline.hpp"

namespace penstock::lab {
namespace {

constexpr be16 gue_port = big(u16{6080});  // IANA's
constexpr u16 fragment_bits = 0x3fff;      // of IPv4: more fragments, or an offset
constexpr u16 gre_has_checksum = 0x8000;   // RFC 2784 §2.1; its other bits are reserved or of RFC 2890, and not for us
constexpr u32 payload_length_max = 4096;   // native XDP on veth takes no more than a page

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
  u8 protocol;
};

struct Inner {
  u32 offset;
  u16 type;  // as in the Ethernet header; 0: this is no tunnel packet
  bool is_damaged;
};

template <typename Header>
PEN_INLINE Header* header_at(const xdp_md* context, u32 offset) {
  auto* at = reinterpret_cast<u8*>(static_cast<u64>(context->data)) + offset;
  const auto* end = reinterpret_cast<u8*>(static_cast<u64>(context->data_end));
  return at + sizeof(Header) <= end ? reinterpret_cast<Header*>(at) : nullptr;
}

PEN_INLINE u32 fold(u32 sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  return (sum & 0xffff) + (sum >> 16);
}

// Whether `length` bytes from `offset` on, with `sum` before them, add up as RFC 1071 wants. A function of its own: its loop is verified once.
__attribute__((noinline)) int adds_up(const xdp_md* context, u32 offset, u32 length, u32 sum) {
  if (length > payload_length_max || offset > payload_length_max) return 0;
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

PEN_INLINE bool read_ipv4(const xdp_md* context, Outer& outer) {
  const auto* ip = header_at<iphdr>(context, ETH_HLEN);
  if (!ip || ip->ihl < 5 || (host(static_cast<be16>(ip->frag_off)) & fragment_bits) != 0) return false;
  const u32 header_length = ip->ihl * 4U;
  outer.offset = ETH_HLEN + header_length;
  outer.length = host(static_cast<be16>(ip->tot_len)) - header_length;
  outer.protocol = ip->protocol;
  outer.pseudo_sum = pseudo_sum(sum_of_addresses<2>(&ip->saddr), outer.length, ip->protocol);
  return true;
}

PEN_INLINE bool read_ipv6(const xdp_md* context, Outer& outer) {
  const auto* ip = header_at<ipv6hdr>(context, ETH_HLEN);
  if (!ip) return false;
  outer.offset = ETH_HLEN + sizeof(ipv6hdr);
  outer.length = host(static_cast<be16>(ip->payload_len));
  outer.protocol = ip->nexthdr;
  outer.pseudo_sum = pseudo_sum(sum_of_addresses<8>(ip->saddr.in6_u.u6_addr32), outer.length, ip->nexthdr);
  return true;
}

PEN_INLINE u16 type_of(u8 protocol) {
  return protocol == IPPROTO_IPIP ? ETH_P_IP : protocol == IPPROTO_IPV6 ? ETH_P_IPV6 : 0;
}

PEN_INLINE Inner read_gre(const xdp_md* context, const Outer& outer) {
  const auto* gre = header_at<GreHeader>(context, outer.offset);
  if (!gre) return {};
  const u16 flags = host(gre->flags);
  const u16 type = host(gre->type);
  if ((flags & ~gre_has_checksum) != 0 || (type != ETH_P_IP && type != ETH_P_IPV6)) return {};
  if (flags == 0)
    return {.offset = outer.offset + static_cast<u32>(sizeof(GreHeader)), .type = type, .is_damaged = false};
  return {.offset = outer.offset + static_cast<u32>(sizeof(GreHeader) + sizeof(GreChecksum)),
          .type = type,
          .is_damaged = adds_up(context, outer.offset, outer.length, 0) == 0};
}

PEN_INLINE Inner read_gue(const xdp_md* context, const Outer& outer) {
  const auto* udp = header_at<udphdr>(context, outer.offset);
  const auto* gue = header_at<GueHeader>(context, outer.offset + static_cast<u32>(sizeof(udphdr)));
  if (!udp || !gue || static_cast<be16>(udp->dest) != gue_port || (gue->version_control_words & 0xe0) != 0) return {};
  const u32 options_length = (gue->version_control_words & 0x1fU) * 4;
  const u16 type = type_of(gue->protocol);
  const bool has_checksum = udp->check != 0;
  return {.offset = outer.offset + static_cast<u32>(sizeof(udphdr) + sizeof(GueHeader)) + options_length,
          .type = type,
          .is_damaged = has_checksum && adds_up(context, outer.offset, outer.length, outer.pseudo_sum) == 0};
}

PEN_INLINE Inner find_inner(const xdp_md* context, const Outer& outer) {
  switch (outer.protocol) {
    case IPPROTO_IPIP:
    case IPPROTO_IPV6:
      return {.offset = outer.offset, .type = type_of(outer.protocol), .is_damaged = false};
    case IPPROTO_GRE:
      return read_gre(context, outer);
    case IPPROTO_UDP:
      return read_gue(context, outer);
    default:
      return {};
  }
}

// The Ethernet header moves up to the inner packet.
PEN_INLINE int go_up(xdp_md* context, const Inner& inner) {
  const auto* before = header_at<ethhdr>(context, 0);
  if (!before) return XDP_PASS;
  const ethhdr ethernet = *before;
  const auto adjust_head = reinterpret_cast<long (*)(xdp_md*, int)>(44);  // BPF_FUNC_xdp_adjust_head
  if (adjust_head(context, static_cast<int>(inner.offset - ETH_HLEN)) != 0) return XDP_DROP;
  auto* after = header_at<ethhdr>(context, 0);
  if (!after) return XDP_DROP;
  *after = ethernet;
  after->h_proto = static_cast<u16>(big(inner.type));
  return XDP_PASS;
}

PEN_INLINE int receive(xdp_md* context) {
  const auto* ethernet = header_at<ethhdr>(context, 0);
  if (!ethernet) return XDP_PASS;
  const u16 type = host(static_cast<be16>(ethernet->h_proto));
  Outer outer{};
  if (type == ETH_P_IP ? !read_ipv4(context, outer) : type != ETH_P_IPV6 || !read_ipv6(context, outer)) return XDP_PASS;
  const Inner inner = find_inner(context, outer);
  if (inner.is_damaged) return XDP_DROP;
  return inner.type == 0 ? XDP_PASS : go_up(context, inner);
}

}  // namespace
}  // namespace penstock::lab

extern "C" __attribute__((section("xdp"), used)) int decapsulate(xdp_md* context) {
  return penstock::lab::receive(context);
}
