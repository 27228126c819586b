// Owns the tables of a native data plane: vectors where the kernel has arrays. For tests, fuzzers and replays.
#pragma once

#include <memory>
#include <vector>

#include "datapath/native/tables.hpp"

namespace penstock {

// Sizes of a small machine's tables, for tests: the caller changes what it wants to.
[[nodiscard]] inline Config small_config() {
  return {.hash_key = {0x243f6a8885a308d3ULL, 0x13198a2e03707344ULL, 0xa4093822299f31d0ULL, 0x082efa98ec4e6c89ULL,
                       0x452821e638d01377ULL, 0xbe5466cf34e90c6cULL},
          .abi_version = abi_version,
          .connection_buckets = 4096,
          .service_buckets = 64,
          .servers_max = 1024,
          .next_hops_max = 256,
          .schedule_cells = 1U << 16,
          .cpus = 1,
          .zero = 0};
}

class NativeTables {
 public:
  explicit NativeTables(const Config& config)
      : connections_(config.connection_buckets),
        connection_tags_(config.connection_buckets),
        services_(config.service_buckets),
        service_tags_(config.service_buckets),
        servers_(config.servers_max),
        loads_(config.servers_max),
        counters_(std::size_t{config.servers_max} * config.cpus),
        next_hops_(config.next_hops_max),
        schedules_(config.schedule_cells),
        interfaces_(interfaces_max),
        reasons_(config.cpus),
        punted_(punted_max),
        vip_filter_(std::make_unique<VipFilter>()),
        settings_(std::make_unique<Settings>()),
        mark_rules_(std::make_unique<MarkRules>()),
        own_prefixes_(std::make_unique<OwnPrefixes>()),
        local_pool_(std::make_unique<LocalPool>()),
        shared_(std::make_unique<SharedState>()) {
    tables_ = {.config = config,
               .connections = connections_,
               .services = services_,
               .connection_tags = connection_tags_,
               .service_tags = service_tags_,
               .servers = servers_,
               .loads = loads_,
               .counters = counters_,
               .next_hops = next_hops_,
               .schedules = schedules_,
               .interfaces = interfaces_,
               .reasons = reasons_,
               .punted = punted_,
               .vip_filter = vip_filter_.get(),
               .settings = settings_.get(),
               .mark_rules = mark_rules_.get(),
               .own_prefixes = own_prefixes_.get(),
               .local_pool = local_pool_.get(),
               .shared = shared_.get()};
  }

  NativeTables(const NativeTables&) = delete;
  NativeTables& operator=(const NativeTables&) = delete;

  [[nodiscard]] Tables& view() { return tables_; }

 private:
  std::vector<ConnectionBucket> connections_;
  std::vector<u64> connection_tags_;
  std::vector<ServiceBucket> services_;
  std::vector<u64> service_tags_;
  std::vector<RealServer> servers_;
  std::vector<ServerLoad> loads_;
  std::vector<ServerCounters> counters_;
  std::vector<NextHop> next_hops_;
  std::vector<u64> schedules_;
  std::vector<Interface> interfaces_;
  std::vector<ReasonCounters> reasons_;
  std::vector<PuntedFrame> punted_;
  std::unique_ptr<VipFilter> vip_filter_;
  std::unique_ptr<Settings> settings_;
  std::unique_ptr<MarkRules> mark_rules_;
  std::unique_ptr<OwnPrefixes> own_prefixes_;
  std::unique_ptr<LocalPool> local_pool_;
  std::unique_ptr<SharedState> shared_;
  Tables tables_;
};

}  // namespace penstock
