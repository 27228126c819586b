#include "cli/ipvsadm_listing.hpp"

#include <fmt/ostream.h>

#include "cli/ipvsadm_flags.hpp"
#include "cli/ipvsadm_order.hpp"
#include "cli/ipvsadm_tunnel.hpp"

namespace penstock::cli {
namespace {

const char* method_word(model::Method method) {
  switch (method) {
    case model::Method::nat:
      return "Masq";
    case model::Method::local:
      return "Local";
    case model::Method::tunnel:
      return "Tunnel";
    case model::Method::direct:
      return "Route";
    case model::Method::fullnat:
      return "FullNat";
  }
  return "";
}

// "TCP  ": five characters, whatever the protocol.
const char* protocol_column(model::Protocol protocol) {
  switch (protocol) {
    case model::Protocol::tcp:
      return "TCP  ";
    case model::Protocol::udp:
      return "UDP  ";
    case model::Protocol::sctp:
      return "SCTP ";
  }
  return "";
}

template <typename Counts>
std::string counters_text(const Counts& counts, bool exact) {
  std::string text;
  for (const std::uint64_t value :
       {counts.connections, counts.in_packets, counts.out_packets, counts.in_bytes, counts.out_bytes})
    text += counter_text(value, exact);
  return text;
}

template <typename View>
std::string counters_of(const View& view, const ListingStyle& style) {
  return style.columns == Columns::stats ? counters_text(view.statistics, style.exact)
                                         : counters_text(view.rates, style.exact);
}

bool shows_counters(Columns columns) { return columns == Columns::stats || columns == Columns::rate; }

std::string settings_text(const model::Service& service) {
  std::string text = " " + service.scheduler;
  if (has_scheduler_flags(service.flags))
    text += fmt::format(" ({})", scheduler_flags_text(service.flags, service.scheduler));
  if ((service.flags & model::service_flag::persistent) != 0) {
    text += fmt::format(" persistent {}", service.persistence_timeout_s);
    if (const auto mask = netmask_text(service)) text += " mask " + *mask;
    if (!service.persistence_engine.empty()) text += " pe " + service.persistence_engine;
  }
  if ((service.flags & model::service_flag::one_packet) != 0) text += " ops";
  return text;
}

std::string server_columns(const api::ServerView& view, const ListingStyle& style) {
  const model::RealServer& server = view.server;
  const char* method = method_word(server.method);
  switch (style.columns) {
    case Columns::stats:
    case Columns::rate:
      return counters_of(view, style);
    case Columns::thresholds:
      return fmt::format(" {:<10} {:<10} {:<10} {:<10}", server.upper_threshold, server.lower_threshold, view.active,
                         view.inactive);
    case Columns::persistent_conn:
      return fmt::format(" {:<9} {:<11} {:<10} {:<10}", server.weight, view.persistent, view.active, view.inactive);
    case Columns::tunnel:
      return fmt::format(" {:<7} {:<13} {:<6} {:<10} {:<10}", method, tunnel_info(server), server.weight, view.active,
                         view.inactive);
    case Columns::plain:
      return fmt::format(" {:<7} {:<6} {:<10} {:<10}", method, server.weight, view.active, view.inactive);
  }
  return "";
}

void print_server(std::ostream& out, const api::ServerView& view, std::optional<model::Protocol> protocol,
                  const ListingStyle& style) {
  fmt::print(out, "  -> {:<28}{}\n", style.address.in_column(view.server.endpoint, protocol),
             server_columns(view, style));
}

}  // namespace

ListingStyle listing_style(OptionSet given, const Names& names) {
  ListingStyle style{.columns = Columns::plain,
                     .exact = given.has(Option::exact),
                     .sorted = !given.has(Option::nosort),
                     .address = AddressText(given.has(Option::numeric) ? nullptr : &names)};
  if (given.has(Option::tun_info)) style.columns = Columns::tunnel;
  if (given.has(Option::persistent_conn)) style.columns = Columns::persistent_conn;
  if (given.has(Option::thresholds)) style.columns = Columns::thresholds;
  if (given.has(Option::rate)) style.columns = Columns::rate;
  if (given.has(Option::stats)) style.columns = Columns::stats;
  return style;
}

void print_version(std::ostream& out, const api::Info& info) {
  fmt::print(out, "IP Virtual Server version 1.2.1 (size={})\n", info.connection_buckets);
}

void print_header(std::ostream& out, Columns columns) {
  switch (columns) {
    case Columns::stats:
      out << "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n"
             "  -> RemoteAddress:Port\n";
      return;
    case Columns::rate:
      out << "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n"
             "  -> RemoteAddress:Port\n";
      return;
    case Columns::thresholds:
      out << "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n"
             "  -> RemoteAddress:Port\n";
      return;
    case Columns::persistent_conn:
      out << "Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n"
             "  -> RemoteAddress:Port\n";
      return;
    case Columns::tunnel:
      out << "Prot LocalAddress:Port Scheduler Flags\n"
             "  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn\n";
      return;
    case Columns::plain:
      out << "Prot LocalAddress:Port Scheduler Flags\n"
             "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n";
      return;
  }
}

std::string service_name(const model::ServiceKey& key, const AddressText& address) {
  if (key.fwmark == 0) return protocol_column(key.protocol) + address.in_column(key.vip, key.protocol);
  const bool ipv6 = key.vip.address.family == model::Family::ipv6;
  return fmt::format("FWM  {}{}", static_cast<std::int32_t>(key.fwmark), ipv6 ? " IPv6" : "");
}

std::optional<model::Protocol> naming_protocol(const model::ServiceKey& key) {
  if (key.fwmark != 0) return std::nullopt;
  return key.protocol;
}

std::optional<std::string> netmask_text(const model::Service& service) {
  if (service.key.vip.address.family == model::Family::ipv6)
    return service.netmask == 128 ? std::nullopt : std::optional(std::to_string(service.netmask));
  if (service.netmask == 0xffffffff) return std::nullopt;
  model::Address mask;
  for (std::size_t i = 0; i < 4; ++i) mask.bytes[i] = static_cast<std::uint8_t>(service.netmask >> (24 - 8 * i));
  return model::to_string(mask);
}

std::string counter_text(std::uint64_t value, bool exact) {
  constexpr std::uint64_t thousand = 1000;
  constexpr std::uint64_t million = thousand * thousand;
  constexpr std::uint64_t billion = thousand * million;
  if (exact || value < 100 * million) return fmt::format(" {:>8}", value);
  if (value < billion) return fmt::format(" {:>7}K", value / thousand);
  if (value < 100 * billion) return fmt::format(" {:>7}M", value / million);
  if (value < 100 * thousand * billion) return fmt::format(" {:>7}G", value / billion);
  return fmt::format(" {:>7}T", value / (thousand * billion));
}

void print_service(std::ostream& out, api::ServiceView view, const ListingStyle& style) {
  const model::Service& service = view.service;
  const std::string name = service_name(service.key, style.address);
  if (shows_counters(style.columns))
    fmt::print(out, "{:<33}{}\n", name, counters_of(view, style));
  else
    fmt::print(out, "{}{}\n", name, settings_text(service));
  if (style.sorted) sort_servers(view.servers);
  for (const api::ServerView& server : view.servers) print_server(out, server, naming_protocol(service.key), style);
}

}  // namespace penstock::cli
