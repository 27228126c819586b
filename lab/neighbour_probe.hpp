// Who answers neighbour solicitations for an address: IPv6's arp_probe.hpp.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "lab/arp_probe.hpp"
#include "lab/file_descriptor.hpp"
#include "model/address.hpp"

namespace penstock::lab {

struct NeighbourQuestion {
  std::string interface;                  // has a link-local address, which the question is from
  model::Address address;                 // IPv6
  std::vector<model::Address> witnesses;  // as of ArpQuestion
};

// Asked from the host whose pid 1 this is. Fails when a witness does not answer in time.
[[nodiscard]] Result<std::set<MacAddress>> who_has(const FileDescriptor& init, const NeighbourQuestion& question,
                                                   std::chrono::milliseconds time_max = std::chrono::seconds(2));

}  // namespace penstock::lab
