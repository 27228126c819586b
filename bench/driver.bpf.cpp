// Makes each run of BPF_PROG_TEST_RUN a packet of its own. With `repeat` the kernel hands the same buffer to every run, so what
// the program under test changed (length, MAC header, addresses, ports, TTL, checksum) is put back here, for the packet's flow.
// The program under test follows by a tail call; `bench_empty` in its place gives what all this costs.
//
// Stores are as wide as the loads of whoever reads them next: a load that covers two young stores would stall.
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

struct FlowEnds {
  u32 source;
  u32 destination;
  be16 source_port;
  be16 destination_port;
};

PEN_INLINE FlowEnds ends_of(const FlowPlan& plan, u32 flow) {
  const u32 client = client_word(flow, plan.client_shift);
  const be16 port = client_port(flow, plan.client_shift);
  if (plan.sender == Sender::client) return {client, plan.destination, port, plan.destination_port};
  const u32 server = server_word(server_of_flow(flow));
  if (plan.sender == Sender::nat_server) return {server, client, big(service_port), port};
  return {server, local_word(local_index(flow)), big(service_port), local_port(flow)};
}

PEN_INLINE bool restore_ipv4(xdp_md* context, const FlowPlan& plan, const FlowEnds& ends, u16 id) {
  auto* ip = header_at<Ipv4Header>(context, network_offset);
  if (!ip) return false;
  if (plan.datagrams) ip->id = static_cast<be16>(id);
  ip->source = ends.source;
  ip->destination = ends.destination;
  const u32 checksum = static_cast<u16>(~fold(plan.header_sum + ends.source + ends.destination + id));
  *reinterpret_cast<u32*>(&ip->ttl) = ttl | static_cast<u32>(ip->protocol) << 8 | checksum << 16;
  return true;
}

PEN_INLINE bool restore_ipv6(xdp_md* context, const FlowEnds& ends) {
  auto* ip = header_at<Ipv6Header>(context, network_offset);
  if (!ip) return false;
  ip->hop_limit = ttl;
  ip->source[3] = ends.source;
  return true;
}

PEN_INLINE bool restore_transport(xdp_md* context, const FlowPlan& plan, const FlowEnds& ends, u64 turn) {
  const u32 offset =
      network_offset + static_cast<u32>(plan.family == Family::ipv4 ? sizeof(Ipv4Header) : sizeof(Ipv6Header));
  auto* ports = header_at<PortsHeader>(context, offset);
  if (!ports) return false;
  ports->source = ends.source_port;
  ports->destination = ends.destination_port;
  if (!plan.handshake) return true;
  auto* tcp = header_at<TcpHeader>(context, offset);
  if (!tcp) return false;
  tcp->flags = turn & 1 ? tcp_ack : tcp_syn;
  return true;
}

struct MacHeader {
  u32 destination_high;
  u16 destination_low;
  u16 source_high;
  u32 source_low;
  be16 type;
};

PEN_INLINE bool restore_mac(xdp_md* context, const FlowPlan& plan) {
  auto* mac = header_at<MacHeader>(context, 0);
  if (!mac) return false;
  mac->destination_high = director_mac_high;
  mac->destination_low = director_mac_low;
  mac->source_high = client_mac_high;
  mac->source_low = client_mac_low;
  mac->type = plan.family == Family::ipv4 ? ethertype_ipv4 : ethertype_ipv6;
  return true;
}

// Asked for even when nothing is to do, so that the empty program pays for it, too.
PEN_INLINE bool restore_length(xdp_md* context, const FlowPlan& plan) {
  s64 length = static_cast<s64>(static_cast<u64>(context->data_end) - static_cast<u64>(context->data));
  asm volatile("" : "+r"(length));  // else the compiler subtracts halves of pointers, which the verifier refuses
  return helpers::xdp_adjust_head(context, static_cast<int>(length - plan.length)) == 0;
}

// The first two bytes of all MAC addresses are the same.
PEN_INLINE bool restore_template(xdp_md* context, const FlowPlan& plan) {
  PEN_ROLLED
  for (u32 i = 0; i < template_words_max && i < plan.template_words; ++i) {
    auto* word = header_at<u64>(context, 2 + i * 8);
    if (!word) return false;
    *word = plan.words[i];
  }
  return true;
}

PEN_INLINE bool restore(xdp_md* context, FlowPlan& plan) {
  const u64 turn = plan.turn++;
  if (plan.resizes && !restore_length(context, plan)) return false;
  if (plan.template_words) return restore_template(context, plan);
  const u32 number = flow_of_turn(plan, turn);
  const FlowEnds ends = ends_of(plan, plan.datagrams ? 0 : number);
  if (!restore_mac(context, plan) || !restore_transport(context, plan, ends, turn)) return false;
  if (plan.family == Family::ipv6) return restore_ipv6(context, ends);
  return restore_ipv4(context, plan, ends, plan.datagrams ? static_cast<u16>(number) : 0);
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
