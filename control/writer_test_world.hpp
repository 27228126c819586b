// What a writer stands on in tests: native tables, a clock that is moved by hand, next hops that only count.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "control/writer.hpp"
#include "datapath/native/native_tables.hpp"

namespace penstock::control {

class HandClock final : public Clock {
 public:
  [[nodiscard]] u32 ticks() const override { return ticks_; }
  [[nodiscard]] u32 ticks_per_second() const override { return 100; }
  [[nodiscard]] std::chrono::milliseconds steady() const override { return steady_; }

  void advance(std::chrono::milliseconds by) {
    steady_ += by;
    ticks_ += static_cast<u32>(by.count() / 10);
  }

 private:
  u32 ticks_ = 0xffffff00;  // soon to wrap
  std::chrono::milliseconds steady_{1000};
};

// The row of 10.0.0.N is N.
class CountedHops final : public NextHops {
 public:
  Result<u32> acquire(const model::Address& server) override {
    if (refuses) return fail(ErrorCode::exhausted, "no row left for a next hop");
    ++held[server];
    return server.bytes[3];
  }
  void release(const model::Address& server) override {
    if (--held[server] == 0) held.erase(server);
  }

  bool refuses = false;
  std::map<model::Address, int> held;
};

inline model::Endpoint at(const std::string& address, std::uint16_t port) {
  return {*model::parse_address(address), port};
}

inline model::ServiceKey tcp(const std::string& address, std::uint16_t port) {
  return {model::Protocol::tcp, at(address, port), 0};
}

inline model::Service service(const model::ServiceKey& key, const std::string& scheduler = "rr") {
  model::Service made;
  made.key = key;
  made.scheduler = scheduler;
  if (key.vip.address.family == model::Family::ipv6) made.netmask = 128;
  return made;
}

inline model::RealServer server(const std::string& address, std::int32_t weight = 1) {
  model::RealServer made;
  made.endpoint = at(address, 80);
  made.weight = weight;
  return made;
}

}  // namespace penstock::control
