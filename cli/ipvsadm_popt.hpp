// The option table of ipvsadm and popt's walk along a command line, as values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/ipvsadm_options.hpp"

struct poptContext_s;

namespace penstock::cli {

// Options with something to them; all others are Plain.
enum class Tag {
  tcp_service,
  udp_service,
  sctp_service,
  fwmark_service,
  ipv6,
  scheduler,
  pe,
  persistent,
  netmask,
  real_server,
  gatewaying,
  ipip,
  masquerading,
  fullnat,
  tun_type,
  tun_port,
  tun_nocsum,
  tun_csum,
  tun_remcsum,
  weight,
  u_threshold,
  l_threshold,
  ops,
  sched_flags,
  sort,
};

// An option that is either there or not.
struct Plain {
  Option option;
};
// An option of the synchronisation daemon.
struct OfDaemon {
  Option option;
};

using Meaning = std::variant<Verb, Plain, OfDaemon, Tag>;

class OptionWalk {
 public:
  explicit OptionWalk(const std::vector<std::string>& arguments);
  OptionWalk(const OptionWalk&) = delete;
  OptionWalk& operator=(const OptionWalk&) = delete;

  // Nothing at the end, and after an error().
  [[nodiscard]] std::optional<Meaning> next();
  // Of the option that next() gave; nothing if it has none.
  [[nodiscard]] std::optional<std::string> argument();
  // "-w: missing argument"
  [[nodiscard]] const std::optional<std::string>& error() const { return error_; }
  // The option that next() gave, as it was written.
  [[nodiscard]] std::string written() const;
  // After the end: what was no option, one by one.
  [[nodiscard]] std::optional<std::string> leftover();

 private:
  struct Free {
    void operator()(poptContext_s* context) const;
  };

  std::vector<const char*> arguments_;
  std::unique_ptr<poptContext_s, Free> context_;
  std::optional<std::string> error_;
};

}  // namespace penstock::cli
