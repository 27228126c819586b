// The director's local addresses as the packet path reads them (datapath/abi/local.hpp). A connection of fullnat remembers the index
// of its address, so an address that was removed keeps its place while connections hold it, and gets it back when it returns.
#pragma once

#include <bitset>
#include <functional>
#include <span>
#include <vector>

#include "datapath/abi/connection.hpp"
#include "datapath/abi/local.hpp"
#include "model/address.hpp"

namespace penstock::control {

// Indices that some connection of fullnat names.
using HeldPlaces = std::bitset<local_addresses_max>;
[[nodiscard]] HeldPlaces held_places(std::span<const ConnectionBucket> connections);

// Looks at all connections when it is called, which is only when every place has been given away before.
using FindHeldPlaces = std::function<HeldPlaces()>;

// Whether `address` has a place in the pool or finds one beside `wanted`, which have theirs.
[[nodiscard]] bool has_place_for(const LocalPool& pool, const model::Address& address,
                                 const std::vector<model::Address>& wanted, const FindHeldPlaces& held);

// Makes the pool give out these addresses, and no others, to new connections. Each has been found a place (has_place_for).
void write_local_pool(LocalPool& pool, const std::vector<model::Address>& wanted, const FindHeldPlaces& held);

// Wanted addresses and those removed: replies may still come to all of them.
[[nodiscard]] std::vector<AddressImage> known_addresses(const LocalPool& pool);

}  // namespace penstock::control
