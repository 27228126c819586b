#include "control/estimator.hpp"

#include <cstdint>

namespace penstock::control {
namespace {

// A count over two seconds in units of 1/2^point per second is shifted by one less than the point.
constexpr int count_point = 10;
constexpr int byte_point = 5;

std::uint64_t moved(std::uint64_t average, std::uint64_t count, int point) {
  const auto rate = static_cast<std::int64_t>(count << (point - 1));
  const std::int64_t step = (rate - static_cast<std::int64_t>(average)) >> 2;
  return average + static_cast<std::uint64_t>(step);
}

constexpr std::uint64_t rounded(std::uint64_t average, int point) {
  return (average + (std::uint64_t{1} << (point - 1)) - 1) >> point;
}

}  // namespace

void Estimator::tick(const api::Statistics& now) {
  averages_.connections = moved(averages_.connections, now.connections - last_.connections, count_point);
  averages_.in_packets = moved(averages_.in_packets, now.in_packets - last_.in_packets, count_point);
  averages_.out_packets = moved(averages_.out_packets, now.out_packets - last_.out_packets, count_point);
  averages_.in_bytes = moved(averages_.in_bytes, now.in_bytes - last_.in_bytes, byte_point);
  averages_.out_bytes = moved(averages_.out_bytes, now.out_bytes - last_.out_bytes, byte_point);
  last_ = now;
}

api::Rates Estimator::rates() const {
  return {.connections = rounded(averages_.connections, count_point),
          .in_packets = rounded(averages_.in_packets, count_point),
          .out_packets = rounded(averages_.out_packets, count_point),
          .in_bytes = rounded(averages_.in_bytes, byte_point),
          .out_bytes = rounded(averages_.out_bytes, byte_point)};
}

}  // namespace penstock::control
