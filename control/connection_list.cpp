#include "control/connection_list.hpp"

#include <optional>
#include <span>

#include "control/flip.hpp"
#include "control/images.hpp"
#include "datapath/core/table.hpp"

namespace penstock::control {
namespace {

// IPVS: tcp_state_name_table.
const char* state_name(TcpState state) {
  switch (state) {
    case TcpState::none:
      return "NONE";
    case TcpState::established:
      return "ESTABLISHED";
    case TcpState::syn_sent:
      return "SYN_SENT";
    case TcpState::syn_recv:
      return "SYN_RECV";
    case TcpState::fin_wait:
      return "FIN_WAIT";
    case TcpState::time_wait:
      return "TIME_WAIT";
    case TcpState::close:
      return "CLOSE";
    case TcpState::close_wait:
      return "CLOSE_WAIT";
    case TcpState::last_ack:
      return "LAST_ACK";
    case TcpState::listen:
      return "LISTEN";
    case TcpState::synack:
      return "SYNACK";
  }
  return "ERR!";
}

struct Snapshot {
  u64 word;
  FlowKey key;
  u32 server;
};

// Nothing if the slot is free, over, or changed hands while it was copied. Its owner may only have moved state and expiry.
std::optional<Snapshot> snapshot(const Connection& record, u32 now) {
  Snapshot taken{};
  taken.word = load_acquire(&record.word);
  if (!is_live(taken.word) || is_past(expires_of(taken.word), now)) return std::nullopt;
  const u64* from = reinterpret_cast<const u64*>(&record.key);
  u64* to = reinterpret_cast<u64*>(&taken.key);
  for (std::size_t i = 0; i < sizeof taken.key / sizeof(u64); ++i) to[i] = load_acquire(&from[i]);
  taken.server = load_acquire(&record.server);
  if ((load_acquire(&record.word) ^ taken.word) >> 38 != 0) return std::nullopt;
  return taken;
}

api::ConnectionView view_of(const Snapshot& taken, const Tables& tables, u32 now) {
  api::ConnectionView view;
  view.protocol = static_cast<model::Protocol>(taken.key.protocol);
  view.client = endpoint_of(taken.key.client, taken.key.family, taken.key.client_port);
  view.vip = endpoint_of(taken.key.vip, taken.key.family, taken.key.vip_port);
  // A slot keeps its address while a connection refers to it (slots.hpp).
  const RealServer& server = tables.servers[taken.server];
  view.server = endpoint_of(server.address, server.family, server.port);
  view.state = view.protocol == model::Protocol::tcp ? state_name(static_cast<TcpState>(state_of(taken.word))) : "UDP";
  view.expires_s = (expires_of(taken.word) - now) / tables.settings->ticks_per_second;
  return view;
}

}  // namespace

void list_connections(const Tables& tables, u32 now, const std::function<void(const api::ConnectionView&)>& each) {
  for (const std::span<ConnectionBucket> region : {tables.connections, tables.half_open}) {
    for (const ConnectionBucket& bucket : region) {
      for (const Connection& record : bucket.records) {
        const auto taken = snapshot(record, now);
        if (taken && taken->server < tables.servers.size()) each(view_of(*taken, tables, now));
      }
    }
  }
}

}  // namespace penstock::control
