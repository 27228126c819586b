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

StoredServer server(const Place& place) {
  StoredServer stored;
  stored.server.endpoint = endpoint(place.at("endpoint"));
  stored.server.method = static_cast<model::Method>(number<std::uint8_t>(place, "method"));
  stored.server.weight = number<std::int32_t>(place, "weight");
  stored.server.upper_threshold = number<std::uint32_t>(place, "upper_threshold");
  stored.server.lower_threshold = number<std::uint32_t>(place, "lower_threshold");
  stored.server.tunnel.type = static_cast<model::TunnelType>(number<std::uint8_t>(place, "tunnel_type"));
  stored.server.tunnel.port = number<std::uint16_t>(place, "tunnel_port");
  stored.server.tunnel.checksum = static_cast<model::TunnelChecksum>(number<std::uint8_t>(place, "tunnel_checksum"));
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
  const Place servers = list(place, "servers");
  for (std::size_t i = 0; i < servers.value.size(); ++i) stored.servers.push_back(server(servers.at(i)));
  return stored;
}

StoredRetired retired(const Place& place) {
  return {.owner = {.service = service_key(place.at("service")), .server = endpoint(place.at("server"))},
          .slot = slot(place.at("slot")),
          .service = number<u32>(place, "service_id"),
          .base = statistics(place.at("base"))};
}

StoredState state_of(const json& document) {
  const Place root{document, ""};
  if (const int version = number<int>(root, "version"); version != store_version)
    refuse(root.at("version"),
           "is " + std::to_string(version) + ", this daemon reads " + std::to_string(store_version));
  StoredState state;
  state.tables = number<std::uint64_t>(root, "tables");
  state.next_service_id = number<u32>(root, "next_service_id");
  state.slots_end = number<u32>(root, "slots_end");
  state.total_base = statistics(root.at("total_base"));
  const Place timeouts = root.at("timeouts");
  state.timeouts = {.tcp_s = number<std::uint32_t>(timeouts, "tcp_s"),
                    .tcp_fin_s = number<std::uint32_t>(timeouts, "tcp_fin_s"),
                    .udp_s = number<std::uint32_t>(timeouts, "udp_s")};
  const Place services = list(root, "services");
  for (std::size_t i = 0; i < services.value.size(); ++i) state.services.push_back(service(services.at(i)));
  const Place removed = list(root, "retired");
  for (std::size_t i = 0; i < removed.value.size(); ++i) state.retired.push_back(retired(removed.at(i)));
  return state;
}

// What types cannot say: IPVS's rules hold, and nothing is given out twice.
void check(const StoredState& state) {
  model::DesiredState desired;
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
