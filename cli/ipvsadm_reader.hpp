// The options of one command line, taken one after the other. Their order means something: a service's name is looked up for the
// protocol known so far, -M is read for the family known so far, and a server without a port takes that of a service named before it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/ipvsadm_grammar.hpp"
#include "cli/ipvsadm_popt.hpp"

namespace penstock::cli {

using Taken = tl::expected<void, Complaint>;

[[nodiscard]] tl::unexpected<Complaint> refuse(std::string text);

class Reader {
 public:
  Reader(Verb verb, const Names& names) : names_(names) { command_.verb = verb; }

  // `written`: the option as it stands on the line, for complaints.
  Taken take(const Meaning& meaning, const std::optional<std::string>& argument, const std::string& written);
  // The three values after --set.
  Taken take_timeouts(const std::vector<std::string>& values);
  // What ipvsadm checks when all options are known, in its order.
  Taken finish();

  [[nodiscard]] Command command() && { return std::move(command_); }

 private:
  Taken give(Option option);
  template <typename Set>
  Taken give_with(Option option, Set set);
  Taken take_tag(Tag tag, const std::optional<std::string>& given_argument);
  Taken take_persistent(const std::optional<std::string>& timeout);
  Taken take_service(const std::string& text, model::Protocol protocol);
  Taken take_fwmark(const std::string& text);
  Taken take_ipv6();
  Taken take_netmask(const std::string& text);
  Taken take_server(const std::string& text);
  Taken take_method(model::Method method);
  Taken take_count(Option option, const std::string& text, const char* name, std::uint32_t& value);
  Taken take_weight(const std::string& text);
  Taken take_tunnel_type(const std::string& text);
  Taken take_tunnel_port(const std::string& text);
  Taken take_tunnel_checksum(Option option, model::TunnelChecksum checksum);
  Taken take_daemon_option(Option option, const std::string& text);
  Taken finish_service();
  Taken finish_server();

  const Names& names_;
  Command command_;
  std::optional<model::Protocol> protocol_;
  std::string scheduler_;
  std::string flags_;
};

}  // namespace penstock::cli
