#include "cli/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace penstock::cli {

namespace {

// Those that are remarks, or those that aren't, under a heading. Empty: there were none.
std::string counters_table(const std::vector<api::Counter>& counters, bool are_remarks, std::string_view heading) {
  std::size_t width = 0;
  for (const api::Counter& counter : counters) width = std::max(width, counter.name.size());
  std::string text;
  for (const api::Counter& counter : counters) {
    if (counter.packets == 0 || counter.is_remark != are_remarks) continue;
    text += fmt::format("{:<14}{:<{}}  {:>12}\n", text.empty() ? heading : "", counter.name, width, counter.packets);
  }
  return text;
}

std::string interfaces_in_words(const Status& status) {
  std::string text;
  for (const api::InterfaceView& interface : status.interfaces)
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", interface.name, interface.mode);
  return text.empty() ? "none" : text;
}

}  // namespace

Result<Status> read_status(api::Director& director) {
  const auto services = director.services();
  if (!services) return fail(services.error());
  const auto info = director.info();
  if (!info) return fail(info.error());
  auto reasons = director.reasons();
  if (!reasons) return fail(reasons.error());

  Status status;
  status.services = services->size();
  for (const api::ServiceView& service : *services) {
    status.real_servers += service.servers.size();
    for (const api::ServerView& server : service.servers) {
      status.active += server.active;
      status.inactive += server.inactive;
    }
  }
  status.connections_max = info->connections_max;
  status.interfaces = info->interfaces;
  status.reasons = *std::move(reasons);
  return status;
}

std::string status_table(const Status& status) {
  const std::string lost = counters_table(status.reasons, false, "not forwarded");
  return fmt::format("services      {} with {} real servers\n", status.services, status.real_servers) +
         fmt::format("connections   {} active, {} inactive; room for {}\n", status.active, status.inactive,
                     status.connections_max) +
         fmt::format("interfaces    {}\n", interfaces_in_words(status)) +
         (lost.empty() ? "not forwarded none\n" : lost) + counters_table(status.reasons, true, "forwarded but");
}

std::string status_json(const Status& status) {
  nlohmann::ordered_json reasons = nlohmann::ordered_json::object();
  for (const api::Counter& counter : status.reasons) reasons[counter.name] = counter.packets;
  nlohmann::ordered_json interfaces = nlohmann::ordered_json::object();
  for (const api::InterfaceView& interface : status.interfaces) interfaces[interface.name] = interface.mode;
  const nlohmann::ordered_json json = {
      {"services", status.services},
      {"real_servers", status.real_servers},
      {"connections", {{"active", status.active}, {"inactive", status.inactive}, {"max", status.connections_max}}},
      {"interfaces", interfaces},
      {"reasons", reasons},
  };
  // Names come from the daemon: a byte that is no UTF-8 must not become an exception.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace penstock::cli
