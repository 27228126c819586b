// Rates as IPVS estimates them (net/netfilter/ipvs/ip_vs_est.c): every two seconds the average moves a quarter of the way to
// what was just seen. Integer arithmetic with IPVS's own fixed points, so that the printed numbers are IPVS's.
#pragma once

#include <chrono>

#include "api/types.hpp"

namespace penstock::control {

inline constexpr std::chrono::milliseconds estimator_period{2000};

class Estimator {
 public:
  // Once every `estimator_period`, with the counters as they stand.
  void tick(const api::Statistics& now);
  // IPVS: zeroing the counters zeroes the rates, and what comes after is counted from here.
  void restart(const api::Statistics& now) { *this = Estimator{now}; }
  [[nodiscard]] api::Rates rates() const;

  Estimator() = default;

 private:
  explicit Estimator(const api::Statistics& now) : last_(now) {}

  api::Statistics last_;
  api::Rates averages_;  // connections and packets: 1/1024 per second; bytes: 1/32 per second
};

}  // namespace penstock::control
