// The packet path's platform in the kernel: an XDP context and the maps.
#pragma once

#include "datapath/bpf/helpers.hpp"
#include "datapath/bpf/maps.hpp"
#include "datapath/core/platform.hpp"

// Defined in balance.bpf.cpp: a global function, which the verifier takes by itself, whatever leads to it (ADR-0004).
extern "C" int penstock_insert(const penstock::Packet* packet, penstock::Insertion* insertion);

namespace penstock {

class XdpPlatform {
 public:
  PEN_INLINE explicit XdpPlatform(xdp_md* context)
      : context_(context), now_(static_cast<u32>(helpers::jiffies())), cpu_(helpers::processor_id()) {}

  PEN_INLINE u8* data() const { return context_pointer<__builtin_offsetof(xdp_md, data)>(); }
  PEN_INLINE u8* data_end() const { return context_pointer<__builtin_offsetof(xdp_md, data_end)>(); }
  PEN_INLINE bool grow_head(u32 count) { return helpers::xdp_adjust_head(context_, -static_cast<int>(count)) == 0; }
  PEN_INLINE bool cut_to(u32 length) {
    s64 present = data_end() - data();
    asm volatile(
        ""
        : "+r"(present));  // else the compiler subtracts from the pointer's low half, which the verifier refuses
    const s64 surplus = present - length;
    return surplus >= 0 && helpers::xdp_adjust_tail(context_, static_cast<int>(-surplus)) == 0;
  }

  PEN_INLINE u32 now() const { return now_; }
  PEN_INLINE const Config& config() const {
    const volatile Config* written_by_loader = &::config;
    asm("" : "+r"(written_by_loader));  // else the compiler believes the zeros that it is initialised with
    return *const_cast<const Config*>(written_by_loader);
  }
  PEN_INLINE const Interface* ingress() { return row<const Interface>(&::interfaces, context_->ingress_ifindex); }
  PEN_INLINE const Settings* settings() { return row<const Settings>(&::settings, 0); }
  PEN_INLINE const VipFilter* vip_filter() { return row<const VipFilter>(&::vip_filter, 0); }
  PEN_INLINE ConnectionBucket* connection_bucket(u32 index) { return row<ConnectionBucket>(&::connections, index); }
  PEN_INLINE ConnectionBucket* half_open_bucket(u32 index) { return row<ConnectionBucket>(&::half_open, index); }
  PEN_INLINE ServiceBucket* service_bucket(u32 index) { return row<ServiceBucket>(&::services, index); }
  PEN_INLINE u64* connection_tags(u32 index) { return row<u64>(&::connection_tags, index); }
  PEN_INLINE u64* half_open_tags(u32 index) { return row<u64>(&::half_open_tags, index); }
  PEN_INLINE u64* service_tags(u32 index) { return row<u64>(&::service_tags, index); }
  PEN_INLINE const RealServer* server(u32 slot) { return row<const RealServer>(&::servers, slot); }
  PEN_INLINE ServerLoad* load(u32 slot) { return row<ServerLoad>(&::loads, slot); }
  PEN_INLINE ServerCounters* counters(u32 slot) {
    return row<ServerCounters>(&::counters, slot * config().cpus + cpu_);
  }
  PEN_INLINE ReasonCounters* reason_counters() { return row<ReasonCounters>(&::reasons, cpu_); }
  PEN_INLINE const NextHop* next_hop(u32 index) { return row<const NextHop>(&::next_hops, index); }
  PEN_INLINE u64* schedule_cell(u32 index) { return row<u64>(&::schedules, index); }

  PEN_INLINE Verdict leave_by(u32 interface) {
    if (interface == context_->ingress_ifindex) return Verdict::transmit;
    return static_cast<Verdict>(helpers::redirect(interface));
  }

  PEN_INLINE void insert(const Packet& packet, Insertion& insertion) { penstock_insert(&packet, &insertion); }

 private:
  // Read by hand: the compiler takes the field for the 32-bit number it is declared as, keeps that and extends it, which the
  // verifier refuses for a pointer.
  template <u32 offset>
  PEN_INLINE u8* context_pointer() const {
    u8* pointer;
    asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(pointer) : "r"(context_), "i"(offset));
    return pointer;
  }

  template <typename Row>
  PEN_INLINE static Row* row(void* map, u32 index) {
    return static_cast<Row*>(helpers::map_lookup(map, &index));
  }

  xdp_md* context_;
  u32 now_;
  u32 cpu_;
};

}  // namespace penstock
