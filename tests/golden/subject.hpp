// A director under test, as the recordings see it: commands, frames, time,
// settings. Each scenario begins with a fresh one. What a subject passes to its
// kernel is answered by the replayer's model of the kernel's stack, never by
// the subject.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/director.hpp"
#include "base/result.hpp"
#include "tests/golden/topology.hpp"
#include "tests/golden/wire.hpp"

namespace penstock::golden {

enum class Verdict { transmit, pass, drop };

// The interface is unknown where the data plane cannot say; the replayer then asks the source MAC.
struct Departure {
  Bytes frame;
  std::optional<Interface> out_interface;
};

struct Reaction {
  Verdict verdict = Verdict::drop;
  Bytes frame;                             // as it leaves, or as the kernel gets it; empty when dropped
  std::optional<Interface> out_interface;  // transmit
  std::vector<Departure> also{};           // in this order after it: pieces of it, and frames that had waited for it
};

struct Totals {
  api::Statistics statistics;
  api::Rates rates;
};

class Subject {
 public:
  virtual ~Subject() = default;

  [[nodiscard]] virtual std::string name() const = 0;

  virtual api::Director& control() = 0;
  virtual Result<Reaction> send(Interface in, const Bytes& frame) = 0;
  // A frame that the director's own kernel sends. A data plane that sees only what comes in lets it pass.
  virtual Result<Reaction> leave(Interface out, const Bytes& frame) { return Reaction{Verdict::pass, frame, out}; }
  // Time passes: connections expire, rates are sampled.
  virtual Result<void> advance(std::chrono::milliseconds by) = 0;
  virtual Result<void> set_mtu(Interface interface, std::uint32_t mtu) = 0;
  // What the kernel shows in /proc/net/ip_vs_stats.
  virtual Result<Totals> totals() = 0;
};

}  // namespace penstock::golden
