// Questions that more than one rule asks the facts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/facts.hpp"

namespace penstock::doctor {

[[nodiscard]] std::string to_string(const Mac& mac);  // "02:00:5e:00:53:01"

// nullptr: there is none.
[[nodiscard]] const Interface* find_interface(const Facts& facts, std::uint32_t index);
[[nodiscard]] const Interface* find_interface(const Facts& facts, const std::string& name);
[[nodiscard]] const Way* find_way(const Facts& facts, const model::Address& to);
[[nodiscard]] const Neighbour* find_neighbour(const Facts& facts, std::uint32_t interface, const model::Address& of);
[[nodiscard]] const Holders* find_holders(const Facts& facts, std::uint32_t interface, const model::Address& of);

[[nodiscard]] std::string name_of_interface(const Facts& facts, std::uint32_t index);  // "interface 7" if it is gone

// Where this host has the address itself.
[[nodiscard]] std::vector<OwnAddress> places_of(const Facts& facts, const model::Address& address);

// Interfaces in whose network the address lies, so that hosts there ask for it by ARP or neighbour solicitation.
[[nodiscard]] std::vector<std::uint32_t> links_with(const Facts& facts, const model::Address& address);

// Virtual addresses of the director's services, each once; of a firewall mark those that its rules name alone (a /32 or /128).
[[nodiscard]] std::vector<model::Address> virtual_addresses(const Director& director);

// Interfaces by which requests for the address arrive: those that have it or its network, else the one towards clients.
[[nodiscard]] std::vector<std::uint32_t> entrances_of(const Facts& facts, const model::Address& vip);

// The next machine on the way: its address and the interface. Nothing: no way, or this host itself.
struct Hop {
  std::uint32_t interface = 0;
  model::Address address;
};
[[nodiscard]] std::optional<Hop> next_hop(const Facts& facts, const model::Address& to);

// Packets that were counted under a reason while the doctor looked.
[[nodiscard]] std::uint64_t growth_of(const Director& director, std::string_view reason);

// The client's address of that family. Nothing: there is none.
[[nodiscard]] std::optional<model::Address> client_of(const Facts& facts, model::Family family);

// "ip" or "ip -6".
[[nodiscard]] const char* ip_tool(model::Family family);
// 32 or 128.
[[nodiscard]] int host_length(model::Family family);
// "172.16.0.40/32"
[[nodiscard]] std::string as_host_prefix(const model::Address& address);

}  // namespace penstock::doctor
