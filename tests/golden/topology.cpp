#include "tests/golden/topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace penstock::golden {

namespace {

using Json = nlohmann::json;

// What the readers below throw stops in load_topology().
model::Address address_of(const std::string& text) {
  const auto address = model::parse_address(text);
  if (!address) throw std::invalid_argument("address " + text);
  return *address;
}

Prefix prefix_of(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) throw std::invalid_argument("prefix " + text);
  return {.address = address_of(text.substr(0, slash)),
          .length = static_cast<unsigned>(std::stoul(text.substr(slash + 1)))};
}

Interface interface_named(const std::string& name) {
  const auto interface = parse_interface(name);
  if (!interface) throw std::invalid_argument("interface " + name);
  return *interface;
}

Mac mac_of(const std::string& text) {
  Mac mac{};
  if (std::sscanf(text.c_str(), "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
                  &mac[5]) != 6) {
    throw std::invalid_argument("MAC address " + text);
  }
  return mac;
}

unsigned whole_length(const model::Address& address) { return address.family == model::Family::ipv4 ? 32 : 128; }

void read_address(Topology& topology, const Json& json) {
  const Prefix prefix = prefix_of(json.at("addr"));
  topology.local.push_back({prefix.address, whole_length(prefix.address)});
  const std::string device = json.at("dev");
  if (device == "lo") return;
  const Interface interface = interface_named(device);
  topology.addresses[static_cast<std::size_t>(interface)].push_back(prefix.address);
  topology.routes.push_back({.destination = prefix, .interface = interface, .gateway = std::nullopt});
}

// "[-6] route add [local] PREFIX|default [via ADDRESS] dev NAME", the words of `ip`.
void read_route(Topology& topology, const std::string& line) {
  std::istringstream words(line);
  Route route;
  bool local = false;
  for (std::string word; words >> word;) {
    if (word == "-6") route.destination.address.family = model::Family::ipv6;
    if (word == "local") local = true;
    if (word.find('/') != std::string::npos) route.destination = prefix_of(word);
    if (word == "via" && words >> word) route.gateway = address_of(word);
    if (word == "dev" && words >> word && !local) route.interface = interface_named(word);
  }
  if (local) {
    topology.local.push_back(route.destination);
  } else {
    topology.routes.push_back(route);
  }
}

Topology topology_of(const Json& json) {
  Topology topology;
  const Json& director = json.at("director");
  for (const auto& [name, mac] : director.at("mac").items()) {
    topology.mac[static_cast<std::size_t>(interface_named(name))] = mac_of(mac);
  }
  for (const Json& address : director.at("addresses")) read_address(topology, address);
  for (const Json& route : director.at("routes")) read_route(topology, route);
  for (const Json& neighbour : json.at("neighbours")) {
    topology.neighbours[{interface_named(neighbour.at("dev")), address_of(neighbour.at("ip"))}] =
        mac_of(neighbour.at("mac"));
  }
  return topology;
}

}  // namespace

const char* to_string(Interface interface) { return interface == Interface::eth0 ? "eth0" : "eth1"; }

std::optional<Interface> parse_interface(std::string_view name) {
  for (const Interface interface : interfaces) {
    if (name == to_string(interface)) return interface;
  }
  return std::nullopt;
}

bool contains(const Prefix& prefix, const model::Address& address) {
  if (prefix.address.family != address.family) return false;
  for (unsigned bit = 0; bit < prefix.length; ++bit) {
    const int differing = prefix.address.bytes[bit / 8] ^ address.bytes[bit / 8];
    if ((differing >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

bool Topology::is_local(const model::Address& address) const {
  return std::any_of(local.begin(), local.end(), [&](const Prefix& prefix) { return contains(prefix, address); });
}

std::optional<Hop> Topology::hop(const model::Address& address) const {
  const Route* best = nullptr;
  for (const Route& route : routes) {
    if (!contains(route.destination, address)) continue;
    if (best == nullptr || route.destination.length > best->destination.length) best = &route;
  }
  if (best == nullptr) return std::nullopt;
  const auto neighbour = neighbours.find({best->interface, best->gateway.value_or(address)});
  if (neighbour == neighbours.end()) return std::nullopt;
  return Hop{best->interface, mac[static_cast<std::size_t>(best->interface)], neighbour->second};
}

std::optional<Interface> Topology::interface_of(const Mac& source) const {
  for (const Interface interface : interfaces) {
    if (mac[static_cast<std::size_t>(interface)] == source) return interface;
  }
  return std::nullopt;
}

Result<Topology> load_topology(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) return fail(ErrorCode::io, "reading topology " + path);
  try {
    return topology_of(Json::parse(stream));
  } catch (const std::exception& error) {
    return fail(ErrorCode::protocol, fmt::format("reading topology {}: {}", path, error.what()));
  }
}

}  // namespace penstock::golden
