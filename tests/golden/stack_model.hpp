// What the director's kernel does with a packet that was passed to it: a model of Linux's stack, small enough to read, whose
// every branch is seen in the recordings. Local or routed; resets, unreachables, echo replies; forwarding with TTL - 1.
//
// It knows no sockets (nothing listens on the director) and does not reassemble or fragment: such packets end here.
#pragma once

#include <array>
#include <vector>

#include "tests/golden/recording.hpp"
#include "tests/golden/topology.hpp"

namespace penstock::golden {

class StackModel {
 public:
  explicit StackModel(const Topology& topology) : topology_(topology) {}

  void set_mtu(Interface interface, std::uint32_t mtu) { mtu_[static_cast<std::size_t>(interface)] = mtu; }

  // The frames that leave because of `frame`.
  [[nodiscard]] std::vector<Sent> receive(Interface in, View frame) const;

 private:
  const Topology& topology_;
  std::array<std::uint32_t, 2> mtu_ = {1500, 1500};
};

}  // namespace penstock::golden
