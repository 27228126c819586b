// Stored state to JSON, a line for each server. Written by hand: it is written for every command, and a tree of JSON values
// for a thousand servers takes longer than syncing the file. All texts in it are names the model has checked: no escapes.
#include <fmt/format.h>

#include <algorithm>

#include "control/store.hpp"

namespace penstock::control {
namespace {

std::string json(const api::Statistics& s) {
  return fmt::format(R"({{"connections":{},"in_packets":{},"out_packets":{},"in_bytes":{},"out_bytes":{}}})",
                     s.connections, s.in_packets, s.out_packets, s.in_bytes, s.out_bytes);
}

std::string json(const model::Endpoint& endpoint) {
  return fmt::format(R"({{"address":"{}","port":{}}})", to_string(endpoint.address), endpoint.port);
}

std::string json(const model::ServiceKey& key) {
  return fmt::format(R"({{"protocol":"{}","vip":{},"fwmark":{}}})", to_string(key.protocol), json(key.vip), key.fwmark);
}

std::string json(const Slot& slot) {
  return fmt::format(R"({{"index":{},"generation":{}}})", slot.index, slot.generation);
}

std::string json(const StoredServer& stored) {
  const model::RealServer& server = stored.server;
  return fmt::format(R"({{"endpoint":{},"method":{},"weight":{},"upper_threshold":{},"lower_threshold":{},)"
                     R"("tunnel_type":{},"tunnel_port":{},"tunnel_checksum":{},"slot":{},"base":{},"last_weight":{}}})",
                     json(server.endpoint), static_cast<int>(server.method), server.weight, server.upper_threshold,
                     server.lower_threshold, static_cast<int>(server.tunnel.type), server.tunnel.port,
                     static_cast<int>(server.tunnel.checksum), json(stored.slot), json(stored.base),
                     stored.last_weight);
}

std::string json(const model::Address& address) { return fmt::format("\"{}\"", to_string(address)); }

std::string json(const model::MarkRule& rule) {
  return fmt::format(R"({{"family":{},"protocol":{},"source":"{}","source_ports":"{}","destination":"{}",)"
                     R"("destination_ports":"{}","mark":{}}})",
                     static_cast<int>(rule.family), rule.protocol ? static_cast<int>(*rule.protocol) : 0,
                     to_string(rule.source), to_string(rule.source_ports), to_string(rule.destination),
                     to_string(rule.destination_ports), rule.mark);
}

// A tab between two numbers would need an escape; a blank is read alike.
std::string json(const model::Settings& settings) {
  std::string text;
  for (auto [name, value] : settings) {
    std::ranges::replace(value, '\t', ' ');
    text += fmt::format(R"({}"{}":"{}")", text.empty() ? "" : ",", name, value);
  }
  return "{" + text + "}";
}

std::string json(const StoredService& stored);
std::string json(const StoredRetired& stored);

// One element a line.
template <typename Element>
std::string json(const std::vector<Element>& elements) {
  std::string text = "[";
  for (const Element& element : elements) {
    text += text.size() > 1 ? ",\n" : "\n";
    text += json(element);
  }
  return text + "]";
}

std::string json(const StoredService& stored) {
  const model::Service& service = stored.service;
  return fmt::format(
      R"({{"key":{},"scheduler":"{}","flags":{},"persistence_timeout_s":{},"netmask":{},"persistence_engine":"{}",)"
      R"("id":{},"cursor":{},"current_weight":{},"carried":{},"servers":{}}})",
      json(service.key), service.scheduler, service.flags, service.persistence_timeout_s, service.netmask,
      service.persistence_engine, stored.id, stored.schedule.cursor, stored.schedule.current_weight,
      json(stored.carried), json(stored.servers));
}

std::string json(const StoredRetired& stored) {
  return fmt::format(R"({{"service":{},"server":{},"slot":{},"service_id":{},"base":{}}})", json(stored.owner.service),
                     json(stored.owner.server), json(stored.slot), stored.service, json(stored.base));
}

std::string json(const api::Timeouts& timeouts) {
  return fmt::format(R"({{"tcp_s":{},"tcp_fin_s":{},"udp_s":{}}})", timeouts.tcp_s, timeouts.tcp_fin_s, timeouts.udp_s);
}

}  // namespace

std::string encode(const StoredState& state) {
  return fmt::format(R"({{"version":{},"tables":{},"next_service_id":{},"slots_end":{},"total_base":{},"timeouts":{},)"
                     "\n"
                     R"("settings":{},"mark_rules":{},"local_addresses":{},)"
                     "\n"
                     R"("services":{},"retired":{}}})"
                     "\n",
                     store_version, state.tables, state.next_service_id, state.slots_end, json(state.total_base),
                     json(state.timeouts), json(state.settings), json(state.mark_rules), json(state.local_addresses),
                     json(state.services), json(state.retired));
}

}  // namespace penstock::control
