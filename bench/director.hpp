// A director under measurement: a program, and connections that can be prepared and counted without it.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "bench/cluster.hpp"

namespace penstock::bench {

struct Totals {
  u64 packets;      // that went to a real server or came from one
  u64 connections;  // that were made
  friend bool operator==(const Totals&, const Totals&) = default;
};

class Director {
 public:
  virtual ~Director() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;
  [[nodiscard]] virtual int program() const = 0;
  // Begins anew with this cluster and no connection.
  virtual void serve(const Cluster& cluster) = 0;
  // Connections of the first `count` flows, TCP in state ESTABLISHED, each to its server (flow_plan.hpp).
  virtual void establish(const FlowSet& set, u32 count) = 0;
  // Ends the records with these keys that are there.
  virtual void forget(std::span<const FlowKey> keys) = 0;
  [[nodiscard]] virtual Totals totals() const = 0;
};

// The packet path of this build, loaded as the daemon does, or that of another build, from its object file
// (build/bpf/balance.bpf.o).
class PenstockDirector : public Director {
 public:
  // How many of the first `count` flows have a connection that is established.
  [[nodiscard]] virtual u32 established(const FlowSet& set, u32 count) = 0;
  [[nodiscard]] virtual u64 counted(Reason reason) const = 0;
};

[[nodiscard]] std::unique_ptr<PenstockDirector> penstock_director();
[[nodiscard]] std::unique_ptr<PenstockDirector> penstock_director(const std::string& object_file);
// bench/reference.bpf.cpp, sized for `connections_max`. Serves direct servers by rr only.
[[nodiscard]] std::unique_ptr<Director> reference_director();

}  // namespace penstock::bench
