#include "control/drop_entry.hpp"

#include "datapath/core/connection.hpp"

namespace penstock::control {
namespace {

constexpr u32 none = 0;
constexpr u32 each = 1;
constexpr u32 every_eighth = 8;

constexpr std::chrono::seconds table_period{32};  // in which as many buckets are looked at as there are

bool is_spared(const Entry& entry) { return entry.idle < idle_min || (entry.traits & trait_answered) != 0; }

u32 share_of_tcp(const Entry& entry) {
  switch (static_cast<TcpState>(entry.state)) {
    case TcpState::syn_recv:
    case TcpState::synack:
      return each;
    case TcpState::established:
      return is_spared(entry) ? none : every_eighth;
    case TcpState::none:
    case TcpState::syn_sent:
    case TcpState::fin_wait:
    case TcpState::time_wait:
    case TcpState::close:
    case TcpState::close_wait:
    case TcpState::last_ack:
    case TcpState::listen:
      return none;
  }
  return none;
}

u32 share_of_sctp(const Entry& entry) {
  switch (static_cast<SctpState>(entry.state)) {
    case SctpState::init1:
    case SctpState::init:
      return each;
    case SctpState::established:
      return is_spared(entry) ? none : every_eighth;
    case SctpState::none:
    case SctpState::cookie_sent:
    case SctpState::cookie_replied:
    case SctpState::cookie_wait:
    case SctpState::cookie:
    case SctpState::cookie_echoed:
    case SctpState::shutdown_sent:
    case SctpState::shutdown_received:
    case SctpState::shutdown_ack_sent:
    case SctpState::rejected:
    case SctpState::closed:
      return none;
  }
  return none;
}

u32 share_of_connections(const Entry& entry) {
  if (entry.has_children) return none;
  const bool is_nat = method_of(entry.traits) == Method::nat;
  if (is_nat && (entry.traits & trait_mangled)) return none;  // without its record the rest of it can't be read
  if (entry.protocol == protocol_tcp) return share_of_tcp(entry);
  if (entry.protocol == protocol_sctp) return share_of_sctp(entry);
  return is_spared(entry) ? none : each;
}

// IPVS asks of a one-packet service's template what it asks of idle connections; but counts no packets of templates, and so keeps
// it.
u32 share_of_templates(const Entry& entry) {
  const bool is_assured = entry.state == static_cast<u32>(TemplateState::assured);
  return entry.has_children || entry.is_one_packet || is_assured ? none : each;
}

}  // namespace

u32 share_to_drop(const Entry& entry) {
  switch (entry.role) {
    case Role::request:
      return share_of_connections(entry);
    case Role::persistence:
      return share_of_templates(entry);
    case Role::reply:  // these two go with their request
    case Role::shift:
    case Role::fragment:
    case Role::cache:
      return none;
  }
  return none;
}

bool EntryDropper::draws(std::chrono::milliseconds walk) {
  const std::chrono::milliseconds whole = table_period;
  return random_() % static_cast<u64>(whole.count()) < static_cast<u64>(walk.count());
}

bool EntryDropper::takes(const Entry& entry) {
  const u32 share = share_to_drop(entry);
  return share != none && seen_.at(share)++ % share == 0;
}

}  // namespace penstock::control
