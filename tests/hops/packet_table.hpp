// A handshake for people: a row for each network that a packet crosses, and what has changed since the row above. The text is the same in
// each run: hosts' names stand for MAC addresses, words for ports that the machine chose.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/hops/handshake.hpp"

namespace penstock::hops {

struct TableOptions {
  std::string title;
  std::map<std::string, std::string> hosts;  // by MAC address
  std::vector<std::uint16_t> known_ports;    // those that are printed as numbers
};

[[nodiscard]] std::string packet_table(const Handshake& handshake, const TableOptions& options);

}  // namespace penstock::hops
