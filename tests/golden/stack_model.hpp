// What the director's kernel does with a packet that was passed to it: a model of Linux's stack, small enough to read, whose
// branches are seen in the recordings. Local or routed; resets, unreachables, echo replies; fragments that are put together,
// packets that are cut; forwarding with TTL - 1.
//
// It knows no sockets (nothing listens on the director), and fragments never get too old.
#pragma once

#include <array>
#include <map>
#include <vector>

#include "tests/golden/fragments.hpp"
#include "tests/golden/recording.hpp"
#include "tests/golden/topology.hpp"

namespace penstock::golden {

class StackModel {
 public:
  explicit StackModel(const Topology& topology) : topology_(topology) {}

  void set_mtu(Interface interface, std::uint32_t mtu) { mtu_[static_cast<std::size_t>(interface)] = mtu; }

  struct Outcome {
    std::vector<Sent> frames;
    bool own = false;  // the director's own answer, not a packet that it routes
  };

  // The frames that leave because of `frame`.
  [[nodiscard]] Outcome receive(Interface in, View frame);

 private:
  [[nodiscard]] std::optional<Packet> gather(const Packet& fragment);
  [[nodiscard]] std::vector<Sent> send(const std::optional<Bytes>& packet) const;
  [[nodiscard]] Outcome deliver(const Packet& packet);
  [[nodiscard]] Outcome route(const Packet& packet) const;

  const Topology& topology_;
  std::array<std::uint32_t, 2> mtu_ = {1500, 1500};
  std::map<DatagramKey, std::vector<Packet>> waiting_;  // fragments for the director itself
};

}  // namespace penstock::golden
