// The three packets that begin a TCP connection, each as it was seen on every network that it crossed, in the order of time.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tests/hops/capture_file.hpp"
#include "tests/hops/layers.hpp"

namespace penstock::hops {

struct Hop {
  std::string network;
  std::uint64_t time_ns = 0;
  std::string source_mac;
  std::string destination_mac;
  std::vector<Layer> layers;  // never empty
};

struct Packet {
  std::string name;  // "SYN", "SYN+ACK", "ACK"
  std::vector<Hop> hops;
};

using Handshake = std::array<Packet, 3>;

struct NetworkCapture {
  std::string network;
  std::vector<CapturedFrame> frames;
};

// not_found: not all of it is there yet. invalid_argument: a frame with a wrong checksum, or one that was sent twice, as happens to whoever
// connects before addresses are resolved.
[[nodiscard]] Result<Handshake> find_handshake(const std::vector<NetworkCapture>& captures);

}  // namespace penstock::hops
