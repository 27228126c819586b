#include "tests/golden/fixed_next_hops.hpp"

#include <algorithm>

#include "control/images.hpp"

namespace penstock::golden {

std::optional<model::Address> own_address(const Topology& topology, Interface interface, model::Family family) {
  for (const model::Address& address : topology.addresses[static_cast<std::size_t>(interface)])
    if (address.family == family) return address;
  return std::nullopt;
}

std::optional<Interface> interface_at(u32 index) {
  for (const Interface interface : interfaces) {
    if (index_of(interface) == index) return interface;
  }
  return std::nullopt;
}

Result<u32> FixedNextHops::acquire(const model::Address& server) {
  if (const auto found = entries_.find(server); found != entries_.end()) {
    ++found->second.users;
    return found->second.row;
  }
  const auto is_used = [this](u32 row) {
    return std::any_of(entries_.begin(), entries_.end(), [row](const auto& entry) { return entry.second.row == row; });
  };
  u32 row = no_next_hop + 1;
  while (is_used(row)) ++row;
  if (row >= tables_.next_hops.size()) return fail(ErrorCode::exhausted, "next hop of " + model::to_string(server));
  entries_[server] = {row, 1};
  write(row, server);
  return row;
}

void FixedNextHops::release(const model::Address& server) {
  const auto found = entries_.find(server);
  if (found == entries_.end() || --found->second.users != 0) return;
  tables_.next_hops[found->second.row] = NextHop{};
  entries_.erase(found);
}

std::vector<model::Prefix> FixedNextHops::own_prefixes() const {
  std::vector<model::Prefix> own;
  for (const Prefix& prefix : topology_.local)
    own.push_back({prefix.address, static_cast<std::uint8_t>(prefix.length)});
  return own;
}

void FixedNextHops::set_mtu(Interface interface, u32 mtu) {
  mtu_[static_cast<std::size_t>(interface)] = mtu;
  for (const auto& [server, entry] : entries_) write(entry.row, server);
}

void FixedNextHops::write(u32 row, const model::Address& server) {
  NextHop next_hop{};
  if (topology_.is_local(server) || is_loopback(server)) {
    next_hop.state = NextHopState::local;
  } else if (const auto hop = topology_.hop(server)) {
    std::copy(hop->destination.begin(), hop->destination.end(), next_hop.destination);
    std::copy(hop->source.begin(), hop->source.end(), next_hop.source);
    next_hop.interface = index_of(hop->interface);
    next_hop.mtu = mtu_[static_cast<std::size_t>(hop->interface)];
    if (const auto own = own_address(topology_, hop->interface, server.family))
      next_hop.address = control::image_of(*own);
    next_hop.state = NextHopState::resolved;
  }
  tables_.next_hops[row] = next_hop;
}

}  // namespace penstock::golden
