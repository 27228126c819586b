// On the way out of a real server behind a tunnel: lowers the MSS that its SYN+ACK announces for a VIP to what a client's segment may
// have so that, with the tunnel's headers before it, it still fits the interface's MTU. It never raises it.
//
// What a reader would get wrong: the checksum may be owed (the kernel leaves it to the network card); the helper knows and then
// leaves the field alone, as the card will sum what stands in the packet.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>

#include "agent/bpf/maps.hpp"
#include "agent/bpf/mss.hpp"
#include "datapath/bpf/helpers.hpp"
#include "datapath/core/tcp_option.hpp"

extern "C" {
PEN_ADDRESS_SET(vips);
PEN_SECTION(".rodata.config") const volatile penstock::agent::ClampConfig config{};
}

namespace penstock::agent {
namespace {

constexpr u32 headers_bytes_max = ETH_HLEN + 60 + 60;

// Options stand at any byte, and not every machine reads two of them at an odd one.
struct OptionValue {
  u8 bytes[2];
};

struct Segment {
  u32 offset;  // of its TCP header
  u32 options_end;
  bool is_ipv6;
};

PEN_INLINE u32 mtu_of_interface(__sk_buff* context) {
  u32 mtu = 0;
  reinterpret_cast<long (*)(__sk_buff*, u32, u32*, int, u64)>(163)(context, 0, &mtu, 0, 0);  // BPF_FUNC_check_mtu
  return mtu;
}

PEN_INLINE u32 mss_max(__sk_buff* context, bool is_ipv6) {
  if (config.mss != 0) return config.mss;
  return mss_within({.mtu = mtu_of_interface(context), .overhead = config.overhead, .is_ipv6 = is_ipv6});
}

PEN_INLINE bool read_ipv4(const __sk_buff* context, Segment& segment, AddressKey& source) {
  const auto* ip = header_at<iphdr>(context, ETH_HLEN);
  if (!ip || ip->ihl < 5 || ip->protocol != IPPROTO_TCP) return false;
  segment = {.offset = ETH_HLEN + ip->ihl * 4U, .options_end = 0, .is_ipv6 = false};
  source = mapped(ip->saddr);
  return true;
}

// Extension headers a kernel does not put before its own SYN+ACK.
PEN_INLINE bool read_ipv6(const __sk_buff* context, Segment& segment, AddressKey& source) {
  const auto* ip = header_at<ipv6hdr>(context, ETH_HLEN);
  if (!ip || ip->nexthdr != IPPROTO_TCP) return false;
  segment = {.offset = ETH_HLEN + sizeof(ipv6hdr), .options_end = 0, .is_ipv6 = true};
  const u32* words = ip->saddr.in6_u.u6_addr32;
  source = {{words[0], words[1], words[2], words[3]}};
  return true;
}

// A SYN+ACK from a VIP.
PEN_INLINE bool read_segment(const __sk_buff* context, Segment& segment) {
  AddressKey source{};
  const auto type = static_cast<be16>(context->protocol);
  const bool is_tcp = type == big(u16{ETH_P_IP})     ? read_ipv4(context, segment, source)
                      : type == big(u16{ETH_P_IPV6}) ? read_ipv6(context, segment, source)
                                                     : false;
  if (!is_tcp) return false;
  const auto* tcp = header_at<tcphdr>(context, segment.offset);
  if (!tcp || !tcp->syn || !tcp->ack) return false;
  segment.options_end = segment.offset + tcp->doff * 4U;
  return find(&vips, &source) != nullptr;
}

// Where the option's value stands; 0: there is none.
PEN_INLINE u32 find_mss(const __sk_buff* context, const Segment& segment) {
  u32 at = segment.offset + sizeof(tcphdr);
  PEN_ROLLED
  for (u32 i = 0; i < tcp_option_bytes_max; ++i) {
    const auto* kind = header_at<u8>(context, at);
    if (!kind || at >= segment.options_end || *kind == tcp_option_end) return 0;
    if (*kind == tcp_option_none) {
      ++at;
      continue;
    }
    const auto* option = header_at<TcpOption>(context, at);
    if (!option || option->length < sizeof(TcpOption)) return 0;
    if (option->kind == tcp_option_mss)
      return option->length == tcp_mss_bytes && at + tcp_mss_bytes <= segment.options_end ? at + 2 : 0;
    at += option->length;
    if (at > headers_bytes_max) return 0;
  }
  return 0;
}

PEN_INLINE void write_mss(__sk_buff* context, const Segment& segment, u32 at, u16 before, u16 after) {
  const be16 value = big(after);
  helpers::skb_store_bytes(context, at, &value, sizeof value);
  // A 16-bit field that begins at an odd byte counts with its bytes swapped (RFC 1071 §2(B)).
  const bool is_odd = ((at - segment.offset) & 1) != 0;
  const u16 old_word = is_odd ? before : static_cast<u16>(big(before));
  const u16 new_word = is_odd ? after : static_cast<u16>(value);
  helpers::l4_checksum_replace(context, segment.offset + __builtin_offsetof(tcphdr, check), old_word, new_word,
                               sizeof value);
}

PEN_INLINE void clamp(__sk_buff* context) {
  const u32 bytes = context->len < headers_bytes_max ? context->len : headers_bytes_max;
  if (helpers::skb_pull_data(context, bytes) != 0) return;
  Segment segment{};
  if (!read_segment(context, segment)) return;
  const u32 at = find_mss(context, segment);
  const auto* value = at != 0 ? header_at<OptionValue>(context, at) : nullptr;
  if (!value) return;
  const u16 announced = static_cast<u16>(value->bytes[0] << 8 | value->bytes[1]);
  const u32 most = mss_max(context, segment.is_ipv6);
  if (announced > most) write_mss(context, segment, at, announced, static_cast<u16>(most));
}

}  // namespace
}  // namespace penstock::agent

extern "C" {

PEN_SECTION("tc") int pen_clamp_mss(__sk_buff* context) {
  penstock::agent::clamp(context);
  return TC_ACT_UNSPEC;
}

PEN_SECTION("license") char penstock_license[] = "Dual MIT/GPL";
}
