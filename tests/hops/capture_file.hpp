// What tcpdump wrote: the frames of one network with their times. Classic pcap, little-endian, Ethernet; a file that is still being
// written may end in the middle of a frame, which is left out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tests/golden/wire.hpp"

namespace penstock::hops {

struct CapturedFrame {
  std::uint64_t time_ns = 0;
  golden::Bytes bytes;
};

// invalid_argument: no such file format, or frames that were cut short.
[[nodiscard]] Result<std::vector<CapturedFrame>> parse_capture(golden::View file);

[[nodiscard]] Result<std::vector<CapturedFrame>> read_capture(const std::string& path);

}  // namespace penstock::hops
