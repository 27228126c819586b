// How a real server is reached, decided from what rtnetlink said: the row of the next-hop table it gets, or why it gets none.
// Values in, values out; rtnetlink_next_hops.hpp asks and listens.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "control/rtnetlink.hpp"
#include "datapath/abi/server.hpp"

namespace penstock::control {

using NeighbourKey = std::pair<u32, model::Address>;  // interface, address

// What is known of the network at this moment.
struct Network {
  std::map<u32, Link> links;                             // with their addresses
  std::map<u32, std::vector<OwnAddress>> own_addresses;  // by interface, longest there first
  std::map<NeighbourKey, Neighbour> neighbours;

  void take(const LinkEvent& event);
  void take(const AddressEvent& event);
  void take(const NeighbourEvent& event);

 private:
  void tell_addresses(u32 interface);
};

struct Reach {
  NextHop row{};                          // all zero, but for the state, unless that is `resolved`
  std::string words;                      // "by eth1, 02:00:00:00:00:02" or why it can't be reached
  std::optional<NeighbourKey> neighbour;  // who has to be resolved for this
};

[[nodiscard]] Reach reach(const model::Address& server, const Route& route, const Network& network);

[[nodiscard]] std::string to_string(const Mac& mac);

}  // namespace penstock::control
