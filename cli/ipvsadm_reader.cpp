#include "cli/ipvsadm_reader.hpp"

#include <fmt/format.h>

#include <limits>

#include "cli/ipvsadm_address.hpp"
#include "cli/ipvsadm_flags.hpp"
#include "cli/ipvsadm_sync_options.hpp"
#include "cli/ipvsadm_tunnel.hpp"

namespace penstock::cli {
namespace {

constexpr std::size_t name_length_max = 15;  // of schedulers and engines; ipvsadm cuts the rest off
constexpr std::int64_t timeout_max_s = 31 * 86400;
constexpr std::uint32_t persistence_default_s = 360;
constexpr Range count_range = {0, std::numeric_limits<std::int32_t>::max()};  // weight, thresholds

}  // namespace

tl::unexpected<Complaint> refuse(std::string text) {
  return tl::unexpected(Complaint{exit_refused, std::move(text), Restore::ends});
}

Taken Reader::give(Option option) {
  if (command_.given.has(option)) return refuse(fmt::format("multiple '{}' options specified", to_string(option)));
  command_.given.add(option);
  return {};
}

template <typename Set>
Taken Reader::give_with(Option option, Set set) {
  if (auto given = give(option); !given) return given;
  set();
  return {};
}

Taken Reader::take_service(const std::string& text, model::Protocol protocol) {
  if (auto given = give(Option::service_address); !given) return given;
  protocol_ = protocol;
  const auto parsed = parse_host_and_port(text, protocol, names_);
  if (!parsed) return refuse("illegal virtual server address[:port] specified");
  model::ServiceKey& key = command_.service.key;
  key.protocol = protocol;
  key.vip = {parsed->address, parsed->port.value_or(0)};
  if (key.vip.address.family == model::Family::ipv6) command_.service.netmask = 128;
  return {};
}

Taken Reader::take_fwmark(const std::string& text) {
  if (auto given = give(Option::service_address); !given) return given;
  protocol_ = model::Protocol::tcp;
  const auto mark = parse_number(text, {1, std::numeric_limits<std::uint32_t>::max()});
  if (!mark) return refuse(fmt::format("invalid fwmark value `{}' specified", text));
  command_.service.key.fwmark = static_cast<std::uint32_t>(*mark);
  return {};
}

Taken Reader::take_ipv6() {
  if (command_.service.key.fwmark == 0) return refuse("-6 used before -f\n");
  command_.service.key.vip.address.family = model::Family::ipv6;
  command_.service.netmask = 128;
  return {};
}

Taken Reader::take_persistent(const std::optional<std::string>& timeout) {
  if (auto given = give(Option::persistent); !given) return given;
  command_.service.flags |= model::service_flag::persistent;
  command_.service.persistence_timeout_s = persistence_default_s;
  if (!timeout) return {};
  const auto seconds = parse_number(*timeout, {1, timeout_max_s});
  if (!seconds) return refuse(fmt::format("invalid timeout value `{}' specified", *timeout));
  command_.service.persistence_timeout_s = static_cast<std::uint32_t>(*seconds);
  return {};
}

Taken Reader::take_netmask(const std::string& text) {
  if (auto given = give(Option::netmask); !given) return given;
  const model::Family family = command_.service.key.vip.address.family;
  const auto mask = parse_netmask(text, family, names_);
  if (!mask)
    return refuse(family == model::Family::ipv6 ? "illegal ipv6 netmask specified"
                                                : "illegal virtual server persistent mask specified");
  command_.service.netmask = *mask;
  return {};
}

Taken Reader::take_server(const std::string& text) {
  if (auto given = give(Option::real_server); !given) return given;
  const auto parsed = parse_host_and_port(text, protocol_, names_);
  if (!parsed) return refuse("illegal real server address[:port] specified");
  command_.server.endpoint = {parsed->address, parsed->port.value_or(command_.service.key.vip.port)};
  return {};
}

Taken Reader::take_method(model::Method method) {
  return give_with(Option::forwarding_method, [&] { command_.server.method = method; });
}

Taken Reader::take_count(Option option, const std::string& text, const char* name, std::uint32_t& value) {
  if (auto given = give(option); !given) return given;
  const auto number = parse_number(text, count_range);
  if (!number) return refuse(fmt::format("illegal {} specified", name));
  value = static_cast<std::uint32_t>(*number);
  return {};
}

Taken Reader::take_weight(const std::string& text) {
  std::uint32_t weight = 0;
  if (auto taken = take_count(Option::weight, text, "weight", weight); !taken) return taken;
  command_.server.weight = static_cast<std::int32_t>(weight);
  return {};
}

Taken Reader::take_tunnel_type(const std::string& text) {
  if (auto given = give(Option::tun_type); !given) return given;
  const auto type = parse_tunnel_type(text);
  if (!type) return refuse("illegal tunnel type specified");
  command_.server.tunnel.type = *type;
  return {};
}

Taken Reader::take_tunnel_port(const std::string& text) {
  if (auto given = give(Option::tun_port); !given) return given;
  const auto port = parse_number(text, {1, 65535});
  if (!port) return refuse("illegal tunnel port specified");
  command_.server.tunnel.port = static_cast<std::uint16_t>(*port);
  return {};
}

Taken Reader::take_tunnel_checksum(Option option, model::TunnelChecksum checksum) {
  return give_with(option, [&] { command_.server.tunnel.checksum = checksum; });
}

Taken Reader::take_daemon_option(Option option, const std::string& text) {
  if (auto given = give(option); !given) return given;
  if (const auto complaint = sync_option_complaint(option, text)) return refuse(*complaint);
  return {};
}

Taken Reader::take_timeouts(const std::vector<std::string>& values) {
  std::uint32_t* const timeouts[] = {&command_.timeouts.tcp_s, &command_.timeouts.tcp_fin_s, &command_.timeouts.udp_s};
  if (values.size() < std::size(timeouts)) return refuse("--set option requires 3 timeout values");
  for (std::size_t i = 0; i < std::size(timeouts); ++i) {
    const auto seconds = parse_number(values[i], {0, timeout_max_s});
    if (!seconds) return refuse(fmt::format("invalid timeout value `{}' specified", values[i]));
    *timeouts[i] = static_cast<std::uint32_t>(*seconds);
  }
  return {};
}

Taken Reader::take(const Meaning& meaning, const std::optional<std::string>& argument, const std::string& written) {
  if (const auto* plain = std::get_if<Plain>(&meaning)) return give(plain->option);
  if (const auto* of_daemon = std::get_if<OfDaemon>(&meaning))
    return take_daemon_option(of_daemon->option, argument.value_or(""));
  if (const auto* tag = std::get_if<Tag>(&meaning)) return take_tag(*tag, argument);
  return refuse(fmt::format("invalid option `{}'", written));
}

Taken Reader::take_tag(Tag tag, const std::optional<std::string>& given_argument) {
  const std::string argument = given_argument.value_or("");
  model::Service& service = command_.service;
  model::RealServer& server = command_.server;
  switch (tag) {
    case Tag::tcp_service:
      return take_service(argument, model::Protocol::tcp);
    case Tag::udp_service:
      return take_service(argument, model::Protocol::udp);
    case Tag::sctp_service:
      return take_service(argument, model::Protocol::sctp);
    case Tag::fwmark_service:
      return take_fwmark(argument);
    case Tag::ipv6:
      return take_ipv6();
    case Tag::scheduler:
      return give_with(Option::scheduler, [&] { scheduler_ = argument.substr(0, name_length_max); });
    case Tag::pe:
      return give_with(Option::pe, [&] { service.persistence_engine = argument.substr(0, name_length_max); });
    case Tag::persistent:
      return take_persistent(given_argument);
    case Tag::netmask:
      return take_netmask(argument);
    case Tag::real_server:
      return take_server(argument);
    case Tag::gatewaying:
      return take_method(model::Method::direct);
    case Tag::ipip:
      return take_method(model::Method::tunnel);
    case Tag::masquerading:
      return take_method(model::Method::nat);
    case Tag::fullnat:
      return take_method(model::Method::fullnat);
    case Tag::tun_type:
      return take_tunnel_type(argument);
    case Tag::tun_port:
      return take_tunnel_port(argument);
    case Tag::tun_nocsum:
      return take_tunnel_checksum(Option::tun_nocsum, model::TunnelChecksum::none);
    case Tag::tun_csum:
      return take_tunnel_checksum(Option::tun_csum, model::TunnelChecksum::checksum);
    case Tag::tun_remcsum:
      return take_tunnel_checksum(Option::tun_remcsum, model::TunnelChecksum::remote_checksum);
    case Tag::weight:
      return take_weight(argument);
    case Tag::u_threshold:
      return take_count(Option::u_threshold, argument, "u_threshold", server.upper_threshold);
    case Tag::l_threshold:
      return take_count(Option::l_threshold, argument, "l_threshold", server.lower_threshold);
    case Tag::sort:
      return {};  // does nothing in ipvsadm either: lists are sorted
    case Tag::ops:
      return give_with(Option::ops, [&] { service.flags |= model::service_flag::one_packet; });
    case Tag::sched_flags:
      return give_with(Option::sched_flags, [&] { flags_ = argument; });
  }
  return {};
}

Taken Reader::finish() {
  if (command_.given.has(Option::sched_flags)) {
    const auto flags = parse_scheduler_flags(flags_, scheduler_);
    if (!flags) return refuse(flags.error());
    command_.service.flags |= *flags;
  }
  if (const auto complaint = violation(command_.verb, command_.given)) return refuse(*complaint);
  if (command_.verb == Verb::add_service || command_.verb == Verb::edit_service) return finish_service();
  if (command_.verb == Verb::add_server || command_.verb == Verb::edit_server) return finish_server();
  constexpr OptionSet lists_of_their_own = {Option::connection, Option::timeout, Option::daemon};
  constexpr OptionSet columns = {Option::stats, Option::rate, Option::thresholds};
  if (command_.given.has_any_of(lists_of_their_own) && command_.given.has_any_of(columns))
    return refuse("options conflicts in the list command");
  if (command_.given.has_any_of({Option::timeout, Option::daemon}) && command_.given.has(Option::persistent_conn))
    return refuse("options conflicts in the list command");
  return {};
}

Taken Reader::finish_service() {
  model::Service& service = command_.service;
  if (!scheduler_.empty()) service.scheduler = scheduler_;
  const bool has_fwmark = service.key.fwmark != 0;
  if (!has_fwmark && service.key.vip.port == 0 && (service.flags & model::service_flag::persistent) == 0)
    return refuse("Zero port specified for non-persistent service");
  if (!has_fwmark && (service.flags & model::service_flag::one_packet) != 0 &&
      service.key.protocol != model::Protocol::udp)
    return refuse("One-Packet Scheduling is only for UDP virtual services");
  return {};
}

Taken Reader::finish_server() {
  model::RealServer& server = command_.server;
  const model::ServiceKey& key = command_.service.key;
  // Routing and tunnels cannot change a port; a firewall-mark service has none to put in its place, so what the user said stays.
  const bool rewrites = server.method == model::Method::nat || server.method == model::Method::fullnat;
  if (key.fwmark == 0 && !rewrites) server.endpoint.port = key.vip.port;
  if (server.method == model::Method::tunnel) {
    const auto complaint = violation(server.tunnel.type, command_.given);
    return complaint ? Taken(refuse(*complaint)) : Taken();
  }
  // Which families fullnat joins is the director's to say.
  if (server.method != model::Method::fullnat && server.endpoint.address.family != key.vip.address.family)
    return refuse("Different address family is allowed only for tunneling servers");
  if (command_.given.has_any_of(
          {Option::tun_type, Option::tun_port, Option::tun_nocsum, Option::tun_csum, Option::tun_remcsum}))
    return refuse("Tunnel options conflict with forward method");
  return {};
}

}  // namespace penstock::cli
