// Who answers ARP for an address: the question on which direct routing stands or falls.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "lab/file_descriptor.hpp"
#include "model/address.hpp"

namespace penstock::lab {

using MacAddress = std::array<std::uint8_t, 6>;

[[nodiscard]] std::string to_string(const MacAddress& mac);

struct ArpQuestion {
  std::string interface;
  model::Address address;  // IPv4
  // Hosts whose silence is to mean something, at least one. They are asked for these, their own addresses, right after; frames stay
  // in order, so who has answered that has let the first question pass. No time is waited out (doctor/look/who_has.hpp).
  std::vector<model::Address> witnesses;
};

// Asked from the host whose pid 1 this is. Fails when a witness does not answer in time.
[[nodiscard]] Result<std::set<MacAddress>> who_has(const FileDescriptor& init, const ArpQuestion& question,
                                                   std::chrono::milliseconds time_max = std::chrono::seconds(2));

}  // namespace penstock::lab
