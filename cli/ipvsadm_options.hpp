// The options of ipvsadm, and which of them each command takes: the rules behind "Illegal 'weight' option with the 'list' command".
// Their order matters: of several violations ipvsadm reports that of the first option in it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

#include "model/service.hpp"

namespace penstock::cli {

enum class Option : unsigned {
  numeric,
  connection,
  service_address,
  scheduler,
  persistent,
  netmask,
  real_server,
  forwarding_method,
  weight,
  u_threshold,
  l_threshold,
  mcast_interface,
  timeout,
  daemon,
  stats,
  rate,
  thresholds,
  persistent_conn,
  nosort,
  syncid,
  exact,
  ops,
  pe,
  sched_flags,
  mcast_group,
  mcast_port,
  mcast_ttl,
  sync_maxlen,
  tun_info,
  tun_type,
  tun_port,
  tun_nocsum,
  tun_csum,
  tun_remcsum,
};
inline constexpr unsigned option_count = static_cast<unsigned>(Option::tun_remcsum) + 1;

// As ipvsadm's messages name it: "real-server".
[[nodiscard]] const char* to_string(Option option);

class OptionSet {
 public:
  constexpr OptionSet() = default;
  constexpr OptionSet(std::initializer_list<Option> options) {
    for (const Option option : options) add(option);
  }

  constexpr void add(Option option) { bits_ |= bit(option); }
  [[nodiscard]] constexpr bool has(Option option) const { return (bits_ & bit(option)) != 0; }
  [[nodiscard]] constexpr bool has_any_of(OptionSet others) const { return (bits_ & others.bits_) != 0; }

 private:
  static constexpr std::uint64_t bit(Option option) { return std::uint64_t{1} << static_cast<unsigned>(option); }

  std::uint64_t bits_ = 0;
};

enum class Verb {
  list,
  add_service,
  edit_service,
  delete_service,
  flush,
  add_server,
  edit_server,
  delete_server,
  zero,
  restore,
  save,
  set_timeouts,
  start_daemon,
  stop_daemon,
  help,
  version,
};

// ipvsadm's complaint about the first option that is missing, out of place or at odds with one before it.
[[nodiscard]] std::optional<std::string> violation(Verb verb, OptionSet given);
// The same for the options of a tunnel (--tun-port, --tun-*csum), which depend on its type.
[[nodiscard]] std::optional<std::string> violation(model::TunnelType type, OptionSet given);

}  // namespace penstock::cli
