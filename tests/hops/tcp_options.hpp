// TCP options in words: "mss 1460, sackOK, timestamps, wscale". What differs from machine to machine (clock, window scale) is left out, as
// is padding.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/golden/wire.hpp"

namespace penstock::hops {

using PortName = std::function<std::string(std::uint16_t)>;

// `options`: behind the fixed TCP header, in hexadecimal as golden::decode_frame gives them. `port_name` is asked for the port in TOA, which
// is the option of kind 254.
[[nodiscard]] std::vector<std::string> tcp_options_in_words(const std::string& options, const PortName& port_name);

}  // namespace penstock::hops
