// Stored state from JSON. Whatever does not fit is refused, with the place in the document.
#include <cerrno>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "control/store.hpp"
#include "model/desired_state.hpp"

namespace penstock::control {
namespace {

using nlohmann::json;

// Where the reader stands, for messages: "services[2].servers[0].slot".
struct Place {
  const json& value;
  std::string path;

  [[nodiscard]] Place at(const char* name) const { return {value.at(name), path.empty() ? name : path + "." + name}; }
  [[nodiscard]] Place at(std::size_t index) const {
    return {value.at(index), path + "[" + std::to_string(index) + "]"};
  }
};

// Only within this file: decode() turns it into an Error.
struct Misfit {
  std::string sentence;
};

[[noreturn]] void refuse(const Place& place, const std::string& why) { throw Misfit{place.path + ": " + why}; }

template <typename Number>
Number number(const Place& object, const char* name) {
  const Place place = object.at(name);
  if (!place.value.is_number_integer()) refuse(place, "not a whole number");
  if (place.value.is_number_unsigned()) {
    const auto value = place.value.get<std::uint64_t>();
    if (value > static_cast<std::uint64_t>(std::numeric_limits<Number>::max())) refuse(place, "too large");
    return static_cast<Number>(value);
  }
  const auto value = place.value.get<std::int64_t>();
  if (value < static_cast<std::int64_t>(std::numeric_limits<Number>::min())) refuse(place, "too small");
  return static_cast<Number>(value);
}

std::string text(const Place& object, const char* name) {
  const Place place = object.at(name);
  if (!place.value.is_string()) refuse(place, "not a text");
  return place.value.get<std::string>();
}

Place list(const Place& object, const char* name) {
  const Place place = object.at(name);
  if (!place.value.is_array()) refuse(place, "not a list");
  return place;
}

template <typename Read>
auto elements(const Place& object, const char* name, Read read) {
  const Place all = list(object, name);
  std::vector<decltype(read(all))> values;
  for (std::size_t i = 0; i < all.value.size(); ++i) values.push_back(read(all.at(i)));
  return values;
}

api::Statistics statistics(const Place& place) {
  return {.connections = number<std::uint64_t>(place, "connections"),
          .in_packets = number<std::uint64_t>(place, "in_packets"),
          .out_packets = number<std::uint64_t>(place, "out_packets"),
          .in_bytes = number<std::uint64_t>(place, "in_bytes"),
          .out_bytes = number<std::uint64_t>(place, "out_bytes")};
}

model::Endpoint endpoint(const Place& place) {
  const auto address = model::parse_address(text(place, "address"));
  if (!address) refuse(place.at("address"), "not an address");
  return {*address, number<std::uint16_t>(place, "port")};
}

model::Protocol protocol(const Place& place) {
  const std::string name = text(place, "protocol");
  for (const auto known : {model::Protocol::tcp, model::Protocol::udp, model::Protocol::sctp})
    if (name == model::to_string(known)) return known;
  refuse(place.at("protocol"), "not a protocol");
}

model::ServiceKey service_key(const Place& place) {
  model::ServiceKey key;
  key.protocol = protocol(place);
  key.vip = endpoint(place.at("vip"));
  key.fwmark = number<std::uint32_t>(place, "fwmark");
  return key;
}

Slot slot(const Place& place) {
  return {.index = number<u32>(place, "index"), .generation = number<u16>(place, "generation")};
}

// One of the numbers that an enumeration has.
template <typename Enum>
Enum one_of(const Place& object, const char* name, std::initializer_list<Enum> known) {
  const auto value = number<std::uint8_t>(object, name);
  for (const Enum each : known)
    if (value == static_cast<std::uint8_t>(each)) return each;
  refuse(object.at(name), "not a number that means something here");
}

template <typename Value>
Value parsed(const Place& object, const char* name, std::optional<Value> value, const char* what) {
  if (!value) refuse(object.at(name), what);
  return *std::move(value);
}

model::Prefix prefix(const Place& place, const char* name) {
  return parsed(place, name, model::parse_prefix(text(place, name)), "not a block of addresses");
}

std::vector<model::PortRange> ports(const Place& place, const char* name) {
  const std::string ranges = text(place, name);
  if (ranges.empty()) return {};
  return parsed(place, name, model::parse_port_ranges(ranges), "not ports");
}

model::MarkRule mark_rule(const Place& place) {
  using enum model::Protocol;
  model::MarkRule rule;
  rule.family = one_of(place, "family", {model::Family::ipv4, model::Family::ipv6});
  if (number<std::uint8_t>(place, "protocol") != 0) rule.protocol = one_of(place, "protocol", {tcp, udp, sctp});
  rule.source = prefix(place, "source");
  rule.source_ports = ports(place, "source_ports");
  rule.destination = prefix(place, "destination");
  rule.destination_ports = ports(place, "destination_ports");
  rule.mark = number<std::uint32_t>(place, "mark");
  return rule;
}

model::Address local_address(const Place& place) {
  const auto address = place.value.is_string() ? model::parse_address(place.value.get<std::string>()) : std::nullopt;
  if (!address) refuse(place, "not an address");
  return *address;
}

model::Settings settings(const Place& place) {
  if (!place.value.is_object()) refuse(place, "not an object");
  model::Settings read;
  for (const auto& [name, value] : place.value.items()) {
    const Place member = place.at(name.c_str());
    if (!value.is_string()) refuse(member, "not a text");
    if (const auto changed = model::change(read, name, value.get<std::string>()); !changed)
      refuse(member, changed.error().message);
  }
  return read;
}

StoredServer server(const Place& place) {
  StoredServer stored;
  stored.server.endpoint = endpoint(place.at("endpoint"));
  using enum model::Method;
  stored.server.method = one_of(place, "method", {nat, local, tunnel, direct, fullnat});
  stored.server.weight = number<std::int32_t>(place, "weight");
  stored.server.upper_threshold = number<std::uint32_t>(place, "upper_threshold");
  stored.server.lower_threshold = number<std::uint32_t>(place, "lower_threshold");
  using enum model::TunnelType;
  stored.server.tunnel.type = one_of(place, "tunnel_type", {ipip, gue, gre});
  stored.server.tunnel.port = number<std::uint16_t>(place, "tunnel_port");
  using enum model::TunnelChecksum;
  stored.server.tunnel.checksum = one_of(place, "tunnel_checksum", {none, checksum, remote_checksum});
  stored.last_weight = number<std::int32_t>(place, "last_weight");
  stored.slot = slot(place.at("slot"));
  stored.base = statistics(place.at("base"));
  return stored;
}

StoredService service(const Place& place) {
  StoredService stored;
  stored.service.key = service_key(place.at("key"));
  stored.service.scheduler = text(place, "scheduler");
  stored.service.flags = number<std::uint32_t>(place, "flags");
  stored.service.persistence_timeout_s = number<std::uint32_t>(place, "persistence_timeout_s");
  stored.service.netmask = number<std::uint32_t>(place, "netmask");
  stored.service.persistence_engine = text(place, "persistence_engine");
  stored.id = number<u32>(place, "id");
  stored.schedule.cursor = number<std::int32_t>(place, "cursor");
  stored.schedule.current_weight = number<std::int32_t>(place, "current_weight");
  stored.carried = statistics(place.at("carried"));
  stored.servers = elements(place, "servers", server);
  return stored;
}

StoredRetired retired(const Place& place) {
  return {.owner = {.service = service_key(place.at("service")), .server = endpoint(place.at("server"))},
          .slot = slot(place.at("slot")),
          .service = number<u32>(place, "service_id"),
          .base = statistics(place.at("base"))};
}

// Version 1 as version 2 would have written it. Servers had their weights, but which was the last above 0 was not said.
json upgraded(json document) {
  document["version"] = 2;
  document["settings"] = json::object();
  document["mark_rules"] = json::array();
  document["local_addresses"] = json::array();
  for (json& stored : document.at("services"))
    for (json& server : stored.at("servers")) server["last_weight"] = server.at("weight");
  return document;
}

StoredState state_of(const json& document) {
  const Place root{document, ""};
  const int version = number<int>(root, "version");
  if (version == 1) return state_of(upgraded(document));
  if (version < 1 || version > store_version)
    refuse(root.at("version"),
           "is " + std::to_string(version) + ", this daemon reads 1 to " + std::to_string(store_version));
  StoredState state;
  state.tables = number<std::uint64_t>(root, "tables");
  state.next_service_id = number<u32>(root, "next_service_id");
  state.slots_end = number<u32>(root, "slots_end");
  state.total_base = statistics(root.at("total_base"));
  const Place timeouts = root.at("timeouts");
  state.timeouts = {.tcp_s = number<std::uint32_t>(timeouts, "tcp_s"),
                    .tcp_fin_s = number<std::uint32_t>(timeouts, "tcp_fin_s"),
                    .udp_s = number<std::uint32_t>(timeouts, "udp_s")};
  state.settings = settings(root.at("settings"));
  state.mark_rules = elements(root, "mark_rules", mark_rule);
  state.local_addresses = elements(root, "local_addresses", local_address);
  state.services = elements(root, "services", service);
  state.retired = elements(root, "retired", retired);
  return state;
}

// What types cannot say: IPVS's rules hold, and nothing is given out twice.
void check(const StoredState& state) {
  model::DesiredState desired;
  if (const auto restored = restore_all_but_services(desired, state); !restored) throw Misfit{restored.error().message};
  std::set<u32> slots;
  std::set<u32> ids;
  const auto take_slot = [&](const Slot& taken) {
    if (!slots.insert(taken.index).second) throw Misfit{"slot " + std::to_string(taken.index) + " has two owners"};
  };
  for (const StoredService& stored : state.services) {
    if (const auto added = desired.add_service(stored.service); !added) throw Misfit{added.error().message};
    if (!ids.insert(stored.id).second) throw Misfit{"service id " + std::to_string(stored.id) + " has two owners"};
    if (stored.id >= state.next_service_id) throw Misfit{"service id " + std::to_string(stored.id) + " is yet to come"};
    for (auto oldest = stored.servers.rbegin(); oldest != stored.servers.rend(); ++oldest) {
      const auto added = desired.add_server(stored.service.key, oldest->server);
      if (!added) throw Misfit{added.error().message};
      take_slot(oldest->slot);
    }
  }
  for (const StoredRetired& stored : state.retired) take_slot(stored.slot);
}

}  // namespace

Result<StoredState> decode(const std::string& text) {
  try {
    StoredState state = state_of(json::parse(text));
    check(state);
    return state;
  } catch (const Misfit& misfit) {
    return fail(ErrorCode::invalid_argument, misfit.sentence, EINVAL);
  } catch (const json::exception& error) {
    return fail(ErrorCode::invalid_argument, error.what(), EINVAL);
  }
}

}  // namespace penstock::control
