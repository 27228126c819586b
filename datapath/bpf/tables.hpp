// The tables, as every BPF platform sees them: rows of the maps.
#pragma once

#include "datapath/bpf/helpers.hpp"
#include "datapath/bpf/maps.hpp"
#include "datapath/core/platform.hpp"

namespace penstock {

class BpfTables {
 public:
  PEN_INLINE BpfTables() : now_(static_cast<u32>(helpers::jiffies())) {}

  PEN_INLINE u32 now() const { return now_; }
  PEN_INLINE bool fragments() const { return false; }
  PEN_INLINE bool was_counted() const { return false; }
  PEN_INLINE const Config& config() const {
    const volatile Config* written_by_loader = &::config;
    asm("" : "+r"(written_by_loader));  // else the compiler believes the zeros that it is initialised with
    return *const_cast<const Config*>(written_by_loader);
  }
  PEN_INLINE const Interface* interface(u32 index) {
    u32 row = index;
    PEN_FORGET(row);  // what follows is all that the verifier knows of it
    return index < interfaces_max ? &only_row<const Interfaces>(::interfaces)->rows[row % interfaces_max] : nullptr;
  }
  PEN_INLINE const Settings* settings() { return only_row<const Settings>(::settings); }
  PEN_INLINE const VipFilter* vip_filter() { return only_row<const VipFilter>(::vip_filter); }
  PEN_INLINE SharedState* shared() { return only_row<SharedState>(::shared); }
  PEN_INLINE ConnectionBucket* connection_bucket(u32 index) { return row<ConnectionBucket>(&::connections, index); }
  PEN_INLINE ServiceBucket* service_bucket(u32 index) { return row<ServiceBucket>(&::services, index); }
  PEN_INLINE u64* connection_tags(u32 index) { return row<u64>(&::connection_tags, index); }
  PEN_INLINE u64* service_tags(u32 index) { return row<u64>(&::service_tags, index); }
  PEN_INLINE const RealServer* server(u32 slot) { return row<const RealServer>(&::servers, slot); }
  PEN_INLINE ServerLoad* load(u32 slot) { return row<ServerLoad>(&::loads, slot); }
  PEN_INLINE ServerCounters* counters(u32 slot) {
    return row<ServerCounters>(&::counters, slot * config().cpus + helpers::processor_id());
  }
  PEN_INLINE ReasonCounters* reason_counters() { return row<ReasonCounters>(&::reasons, helpers::processor_id()); }
  PEN_INLINE const NextHop* next_hop(u32 index) { return row<const NextHop>(&::next_hops, index); }
  PEN_INLINE u64* schedule_cell(u32 index) { return row<u64>(&::schedules, index); }
  PEN_INLINE const MarkRule* mark_rule(u32 index) {
    return index < mark_rules_max ? &only_row<const MarkRules>(::mark_rules)->rules[index] : nullptr;
  }
  PEN_INLINE const OwnPrefixes* own_prefixes() { return only_row<const OwnPrefixes>(::own_prefixes); }
  PEN_INLINE const LocalPool* local_pool() { return only_row<const LocalPool>(::local_pool); }
  PEN_INLINE PuntedFrame* punted(u32 index) { return row<PuntedFrame>(&::punted, index); }
  PEN_INLINE Work* work() { return row<Work>(&::works, helpers::processor_id()); }

 private:
  template <typename Row>
  PEN_INLINE static Row* row(void* map, u32 index) {
    return static_cast<Row*>(helpers::map_lookup(map, &index));
  }
  template <typename Row>
  PEN_INLINE static Row* only_row(u8 (&bytes)[sizeof(Row)]) {
    return reinterpret_cast<Row*>(bytes);
  }

  u32 now_;  // one time for all that is done to a packet
};

}  // namespace penstock
