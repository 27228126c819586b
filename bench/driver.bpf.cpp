// Makes each run of BPF_PROG_TEST_RUN a packet of its own. With `repeat` the kernel hands the same buffer to every run, so what
// the program under test changed (MAC addresses, TTL, checksum) is put back here, and the packet gets its flow's address and port. The program
// under test follows by a tail call; `bench_empty` in its place gives what all this costs.
//
// Nothing measured here changes a packet's length, so its head is not restored.
#include <linux/bpf.h>

#include "bench/flow_plan.hpp"
#include "datapath/bpf/helpers.hpp"
#include "datapath/core/checksum.hpp"
#include "datapath/core/wire.hpp"

#define PEN_SECTION(name) __attribute__((section(name), used))

namespace penstock::bench {
namespace {

PEN_INLINE void tail_call(xdp_md* context, void* programs, u32 index) {
  reinterpret_cast<long (*)(void*, void*, u32)>(12)(context, programs, index);
}

template <typename Header>
PEN_INLINE Header* header_at(xdp_md* context, u32 offset) {
  auto* at = reinterpret_cast<u8*>(static_cast<u64>(context->data)) + offset;
  const auto* end = reinterpret_cast<u8*>(static_cast<u64>(context->data_end));
  return at + sizeof(Header) <= end ? reinterpret_cast<Header*>(at) : nullptr;
}

static constexpr u8 ttl = 64;

PEN_INLINE bool restore_ipv4(xdp_md* context, const FlowPlan& plan, u32 flow) {
  auto* ip = header_at<Ipv4Header>(context, network_offset);
  if (!ip) return false;
  ip->source = client_word(flow);
  const u32 checksum = static_cast<u16>(~fold(plan.header_sum + client_word(flow)));
  // In one store, as whoever sums the header up reads these fields by one load.
  *reinterpret_cast<u32*>(&ip->ttl) = ttl | static_cast<u32>(ip->protocol) << 8 | checksum << 16;
  return true;
}

PEN_INLINE bool restore_ipv6(xdp_md* context, u32 flow) {
  auto* ip = header_at<Ipv6Header>(context, network_offset);
  if (!ip) return false;
  ip->hop_limit = ttl;
  ip->source[3] = client_word(flow);
  return true;
}

PEN_INLINE bool restore_ports(xdp_md* context, const FlowPlan& plan, u64 turn, u32 flow) {
  const u32 offset =
      network_offset + static_cast<u32>(plan.family == Family::ipv4 ? sizeof(Ipv4Header) : sizeof(Ipv6Header));
  auto* ports = header_at<PortsHeader>(context, offset);
  if (!ports) return false;
  ports->source = client_port(flow);
  if (!plan.handshake) return true;
  auto* tcp = header_at<TcpHeader>(context, offset);
  if (!tcp) return false;
  tcp->flags = turn & 1 ? tcp_ack : tcp_syn;
  return true;
}

struct DestinationMac {
  u32 high;
  u16 low;
};

PEN_INLINE bool restore_mac(xdp_md* context) {
  auto* mac = header_at<DestinationMac>(context, 0);
  if (!mac) return false;
  mac->high = director_mac_high;
  mac->low = director_mac_low;
  return true;
}

PEN_INLINE bool restore(xdp_md* context, FlowPlan& plan) {
  const u64 turn = plan.turn++;
  const u32 flow = flow_of_turn(plan, turn);
  const bool restored = plan.family == Family::ipv4 ? restore_ipv4(context, plan, flow) : restore_ipv6(context, flow);
  return restored && restore_mac(context) && restore_ports(context, plan, turn, flow);
}

}  // namespace
}  // namespace penstock::bench

extern "C" {

struct bench_plan_map {
  int (*type)[BPF_MAP_TYPE_ARRAY];
  int (*map_flags)[BPF_F_MMAPABLE];
  int (*max_entries)[1];
  int (*key_size)[4];
  int (*value_size)[sizeof(penstock::bench::FlowPlan)];
};
PEN_SECTION(".maps") bench_plan_map bench_plan;

struct bench_programs_map {
  int (*type)[BPF_MAP_TYPE_PROG_ARRAY];
  int (*max_entries)[1];
  int (*key_size)[4];
  int (*value_size)[4];
};
PEN_SECTION(".maps") bench_programs_map bench_programs;

PEN_SECTION("xdp") int bench_driver(xdp_md* context) {
  const penstock::u32 zero = 0;
  auto* plan = static_cast<penstock::bench::FlowPlan*>(penstock::helpers::map_lookup(&bench_plan, &zero));
  if (!plan || !penstock::bench::restore(context, *plan)) return XDP_ABORTED;
  penstock::bench::tail_call(context, &bench_programs, 0);
  return XDP_ABORTED;
}

PEN_SECTION("xdp") int bench_empty([[maybe_unused]] xdp_md* context) { return XDP_PASS; }

PEN_SECTION("license") char bench_license[] = "Dual MIT/GPL";
}
