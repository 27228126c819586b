// A director under measurement: a program, and connections that can be prepared and counted without it. All directors serve the
// same virtual services with the same real servers (cluster.hpp).
#pragma once

#include <memory>
#include <span>
#include <string>

#include "datapath/abi/connection.hpp"

namespace penstock::bench {

struct Totals {
  u64 packets;      // that went to a real server
  u64 connections;  // that were made
  friend bool operator==(const Totals&, const Totals&) = default;
};

class Director {
 public:
  virtual ~Director() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;
  [[nodiscard]] virtual int program() const = 0;
  // Connections with these keys, TCP in state ESTABLISHED, spread over the real servers. None of them is there already.
  virtual void establish(std::span<const FlowKey> keys) = 0;
  // Ends those that are there.
  virtual void forget(std::span<const FlowKey> keys) = 0;
  virtual void forget_all() = 0;
  [[nodiscard]] virtual Totals totals() const = 0;
};

// The packet path of this build, loaded as the daemon does.
[[nodiscard]] std::unique_ptr<Director> penstock_director();
// The packet path of another build, from its object file (build/bpf/balance.bpf.o).
[[nodiscard]] std::unique_ptr<Director> penstock_director(const std::string& object_file);
// bench/reference.bpf.cpp, sized for `connections_max`.
[[nodiscard]] std::unique_ptr<Director> reference_director();

}  // namespace penstock::bench
