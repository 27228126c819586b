// The reference on the kernel's hash maps: connections are prepared by system calls.
#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "bench/bpf_object.hpp"
#include "bench/cluster.hpp"
#include "bench/director.hpp"
#include "bench/reference_object.hpp"
#include "bench/reference_records.hpp"
#include "control/kernel_clock.hpp"
#include "control/loader.hpp"

namespace penstock::bench {
namespace {

class ReferenceDirector final : public Director {
 public:
  ReferenceDirector()
      : loaded_(value_or_give_up(control::load(small_tables()))),
        clock_(value_or_give_up(control::KernelClock::start(loaded_.programs.clock.fd()))),
        object_(name_, {penstock_reference_bpf_begin, penstock_reference_bpf_end}),
        connections_max_(connections_max(bench_config())) {
    object_.use(loaded_.maps);
    object_.resize("ref_flows", connections_max_);
    object_.resize("ref_counters", loaded_.tables().config.servers_max);
    object_.load();
  }

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] int program() const override { return object_.program("reference_xdp"); }

  void serve(const Cluster& cluster) override {
    forget_all();
    std::ranges::fill(std::as_writable_bytes(loaded_.tables().loads), std::byte{});
    write_cluster(loaded_.tables(), cluster, clock_.ticks_per_second());
    for (const Service& record : service_records(loaded_.tables(), cluster))
      if (bpf_map_update_elem(object_.map("ref_services"), &record.key, &record.schedule, BPF_ANY) != 0)
        give_up("writing a service", errno);
  }

  void establish(const FlowSet& set, u32 count) override {
    const u32 expires = clock_.ticks() + established_timeout_s * clock_.ticks_per_second();
    for (u32 flow = 0; flow < count; ++flow) {
      const FlowKey key = key_of_flow(set, flow);
      const ReferenceConnection connection{.expires = expires,
                                           .server = server_of_flow(flow),
                                           .generation = 1,
                                           .state = static_cast<u8>(TcpState::established),
                                           .method = static_cast<u8>(Method::direct),
                                           .zero = 0};
      if (bpf_map_update_elem(flows(), &key, &connection, BPF_NOEXIST) != 0) give_up("writing a connection", errno);
    }
  }

  void forget(std::span<const FlowKey> keys) override {
    for (const FlowKey& key : keys)
      if (bpf_map_delete_elem(flows(), &key) != 0 && errno != ENOENT) give_up("ending a connection", errno);
  }

  [[nodiscard]] Totals totals() const override {
    Totals sum{};
    std::vector<ServerCounters> rows(loaded_.tables().config.cpus);
    for (u32 i = 0; i < prepared_servers; ++i) {
      const u32 slot = first_server + i;
      if (bpf_map_lookup_elem(object_.map("ref_counters"), &slot, rows.data()) != 0) give_up("reading counters", errno);
      for (const ServerCounters& row : rows) {
        sum.packets += row.in_packets;
        sum.connections += row.connections;
      }
    }
    return sum;
  }

 private:
  // It shares the arrays of servers, next hops and so on, but needs no room for connections there.
  [[nodiscard]] static Config small_tables() {
    Config config = bench_config();
    config.connection_buckets = 2;
    return config;
  }

  void forget_all() {
    std::vector<FlowKey> keys(connections_max_);
    std::vector<ReferenceConnection> values(connections_max_);
    u32 batch = 0;
    u32 count = connections_max_;
    if (bpf_map_lookup_and_delete_batch(flows(), nullptr, &batch, keys.data(), values.data(), &count, nullptr) != 0 &&
        errno != ENOENT)
      give_up("ending all connections", errno);
  }

  [[nodiscard]] int flows() const { return object_.map("ref_flows"); }

  std::string name_ = "reference";
  control::LoadedProgram loaded_;
  control::KernelClock clock_;
  BpfObject object_;
  u32 connections_max_;
};

}  // namespace

std::unique_ptr<Director> reference_director() { return std::make_unique<ReferenceDirector>(); }

}  // namespace penstock::bench
