#include "control/connection_list.hpp"

#include <optional>

#include "control/flip.hpp"
#include "control/images.hpp"
#include "datapath/core/reply_record.hpp"

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

// IPVS: sctp_state_name_table.
const char* state_name(SctpState state) {
  switch (state) {
    case SctpState::none:
      return "NONE";
    case SctpState::init1:
      return "INIT1";
    case SctpState::init:
      return "INIT";
    case SctpState::cookie_sent:
      return "C-SENT";
    case SctpState::cookie_replied:
      return "C-REPLIED";
    case SctpState::cookie_wait:
      return "C-WAIT";
    case SctpState::cookie:
      return "COOKIE";
    case SctpState::cookie_echoed:
      return "C-ECHOED";
    case SctpState::established:
      return "ESTABLISHED";
    case SctpState::shutdown_sent:
      return "S-SENT";
    case SctpState::shutdown_received:
      return "S-RECEIVED";
    case SctpState::shutdown_ack_sent:
      return "S-ACK-SENT";
    case SctpState::rejected:
      return "REJECTED";
    case SctpState::closed:
      return "CLOSED";
  }
  return "ERR!";
}

struct Snapshot {
  u64 word;
  FlowKey key;
  u32 server;
  u8 traits;
  be16 local_port;
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
  taken.traits = load_acquire(&record.traits);
  taken.local_port = load_acquire(&record.local_port);
  if (owner_of(load_acquire(&record.word)) != owner_of(taken.word)) return std::nullopt;
  return taken;
}

const char* state_text(const Snapshot& taken) {
  const u32 state = state_of(taken.word);
  if (taken.key.role == Role::persistence)
    return state == static_cast<u32>(TemplateState::assured) ? "ASSURED" : "NONE";
  if (is_tcp(taken.key)) return state_name(static_cast<TcpState>(state));
  return is_sctp(taken.key) ? state_name(static_cast<SctpState>(state)) : "UDP";
}

// IPVS: a template has its service's port, or none, or, once it is invalid, 65535; a connection the server's, or the packet's.
be16 port_of(const Snapshot& taken, const RealServer& server) {
  const be16 invalid = big(u16{0xffff});
  const bool is_template = taken.key.role == Role::persistence;
  if (is_template && (taken.key.vip_port == be16{} || taken.key.vip_port == invalid)) return taken.key.vip_port;
  return server_port(taken, taken.key.vip_port, server);
}

model::Endpoint server_of(const Snapshot& taken, const Tables& tables) {
  if (taken.server == server_of_none) return endpoint_of({}, taken.key.family, {});
  // A slot keeps its address while a connection refers to it (slots.hpp).
  const RealServer& server = tables.servers[taken.server];
  return endpoint_of(server.address, server.family, port_of(taken, server));
}

api::ConnectionView view_of(const Snapshot& taken, const Tables& tables, u32 now) {
  api::ConnectionView view;
  view.protocol = static_cast<api::ConnectionProtocol>(taken.key.protocol);
  view.is_template = taken.key.role == Role::persistence;
  view.client = endpoint_of(taken.key.client, taken.key.family, taken.key.client_port);
  view.vip = endpoint_of(taken.key.vip, taken.key.family, taken.key.vip_port);
  view.server = server_of(taken, tables);
  view.state = state_text(taken);
  view.expires_s = (expires_of(taken.word) - now) / tables.settings->ticks_per_second;
  return view;
}

bool is_listed(const Snapshot& taken) { return taken.key.role == Role::request || taken.key.role == Role::persistence; }

}  // namespace

void list_connections(const Tables& tables, u32 now, const std::function<void(const api::ConnectionView&)>& each) {
  for (const ConnectionBucket& bucket : tables.connections) {
    for (const Connection& record : bucket.records) {
      const auto taken = snapshot(record, now);
      if (taken && is_listed(*taken) && taken->server < tables.servers.size()) each(view_of(*taken, tables, now));
    }
  }
}

}  // namespace penstock::control
