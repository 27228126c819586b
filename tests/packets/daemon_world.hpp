// What tests of punted frames share: a world with a row of counters for the daemon, its clock, and a sender that keeps what it is given.
#pragma once

#include <span>
#include <vector>

#include "control/clock.hpp"
#include "control/sender.hpp"
#include "tests/packets/world.hpp"

namespace penstock::control {

struct Sent {
  u32 interface;
  packets::Bytes frame;

  friend bool operator==(const Sent&, const Sent&) = default;
};

class Collector final : public Sender {
 public:
  void send(u32 interface, std::span<const u8> frame) override {
    sent.push_back({interface, {frame.begin(), frame.end()}});
  }

  std::vector<Sent> sent;
};

class WorldClock final : public Clock {
 public:
  explicit WorldClock(const u32& now) : now_(now) {}

  [[nodiscard]] u32 ticks() const override { return now_; }
  [[nodiscard]] u32 ticks_per_second() const override { return packets::hz; }
  [[nodiscard]] std::chrono::milliseconds steady() const override { return std::chrono::milliseconds{now_}; }

 private:
  const u32& now_;
};

inline Config with_a_row_for_the_daemon() {
  Config config = packets::World::small();
  config.cpus = 2;
  return config;
}

}  // namespace penstock::control
