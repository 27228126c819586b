#include "agent/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "agent/bpf/mss.hpp"

namespace penstock::agent {
namespace {

using model::Address;
using model::Family;
using model::Method;

// Their packets come from another kernel on this machine, often uncut and with checksums that nobody has computed: ADR-0012.
constexpr std::array<std::string_view, 3> kinds_for_tc{"veth", "tun", "bridge"};

bool has_family(const std::vector<Address>& addresses, Family family) {
  return std::ranges::any_of(addresses, [family](const Address& address) { return address.family == family; });
}

template <typename Values>
std::string listed(const Values& values) {
  std::vector<std::string> texts;
  for (const auto& value : values) texts.push_back(to_string(value));
  return fmt::format("{}", fmt::join(texts, " "));
}

const char* word_of(Method method) {
  switch (method) {
    case Method::nat:
      return "nat";
    case Method::local:
      return "local";
    case Method::tunnel:
      return "tunnel";
    case Method::direct:
      return "direct";
    case Method::fullnat:
      return "fullnat";
  }
  return "";
}

std::string purpose_of(const Options& options) {
  std::string text;
  for (const Method method : options.methods) text += fmt::format("{}{}", text.empty() ? "" : ", ", word_of(method));
  return options.vips.empty() ? text : fmt::format("{}: {}", text, listed(options.vips));
}

Result<std::vector<Interface>> chosen_interfaces(const Options& options, const Facts& facts) {
  std::vector<Interface> chosen;
  for (const Interface& interface : facts.interfaces)
    if (options.interfaces.empty() && interface.is_up && interface.is_ethernet && !interface.is_enslaved)
      chosen.push_back(interface);
  for (const std::string& name : options.interfaces) {
    const auto found = std::ranges::find(facts.interfaces, name, &Interface::name);
    if (found == facts.interfaces.end())
      return fail(ErrorCode::not_found, fmt::format("--interface {}: there is none", name));
    if (!found->is_ethernet)
      return fail(ErrorCode::unsupported, fmt::format("--interface {}: it is not an Ethernet interface", name));
    chosen.push_back(*found);
  }
  if (chosen.empty())
    return fail(ErrorCode::not_found,
                "no Ethernet interface is up that tunnel packets could arrive at; name one with --interface");
  return chosen;
}

bool takes_xdp(const Interface& interface, Mode mode, const Facts& facts) {
  if (mode != Mode::automatic) return mode == Mode::native;
  return std::ranges::find(kinds_for_tc, interface.kind) == kinds_for_tc.end() &&
         !facts.without_xdp.contains(interface.name);
}

// What the programs that serve tunnels are told, in one line each: a program that was told another has to be replaced.
std::string told_decapsulator(const ProgramConfig& config) {
  return fmt::format("vips {} own {}", listed(config.vips), listed(config.own_addresses));
}
std::string told_clamp(const ProgramConfig& config) {
  return fmt::format("vips {} overhead {} mss {}", listed(config.vips), config.overhead, config.mss);
}
std::string told_client_address(const ProgramConfig& config) {
  return fmt::format("from {} option {} cgroup {}", listed(config.directors), config.option_kind, config.cgroup);
}

// IPv6 has no such settings and needs none: Linux answers a neighbour solicitation only for addresses of the interface that it came
// in by (ndisc_recv_ns), and asks others in the name of such an address alone (ndisc_solicit). So a VIP on lo is silent; what would
// speak for it is the same address on another interface (check_vips) or a proxy entry (`ip -6 neigh add proxy`).
void add_silence(std::vector<Wanted>& settings) {
  for (const char* interface : {"all", "lo"}) {
    settings.push_back({{Kind::sysctl, fmt::format("net.ipv4.conf.{}.arp_ignore", interface)}, "1", {}});
    settings.push_back({{Kind::sysctl, fmt::format("net.ipv4.conf.{}.arp_announce", interface)}, "2", {}});
  }
}

void add_tunnel_end(std::vector<Wanted>& settings, const std::vector<Interface>& interfaces, const Options& options,
                    const Facts& facts) {
  const ProgramConfig config = program_config(options, facts);
  for (const Interface& interface : interfaces) {
    settings.push_back({{Kind::clsact, interface.name}, present, {}});
    settings.push_back({{Kind::tc_out, interface.name}, "pen_clamp_mss", told_clamp(config)});
    if (takes_xdp(interface, options.mode, facts))
      settings.push_back({{Kind::xdp, interface.name}, "pen_decap_xdp", told_decapsulator(config)});
    else
      settings.push_back({{Kind::tc_in, interface.name}, "pen_decap_tc", told_decapsulator(config)});
  }
}

// The VIP comes last, once nothing can give it away. IPv6's host route is made by the kernel along with the address.
void add_vips(std::vector<Wanted>& settings, const std::vector<Address>& vips) {
  for (const Address& vip : vips) {
    settings.push_back({{Kind::address, to_string(vip)}, present, {}});
    if (vip.family == Family::ipv4) settings.push_back({{Kind::route, to_string(vip)}, present, {}});
  }
}

// pen_toa last: what it notes is for the other two.
void add_client_address(std::vector<Wanted>& settings, const ProgramConfig& config) {
  const std::string told = told_client_address(config);
  settings.push_back({{Kind::cgroup, "getpeername4"}, "pen_peer4", told});
  settings.push_back({{Kind::cgroup, "getpeername6"}, "pen_peer6", told});
  settings.push_back({{Kind::cgroup, "sock_ops"}, "pen_toa", told});
}

// What an interface called up brings with it would not go when it is called down again, so lo is left to whoever runs the host.
Result<void> check_lo(const Facts& facts) {
  const auto lo = std::ranges::find(facts.interfaces, "lo", &Interface::name);
  if (lo == facts.interfaces.end() || !lo->is_up)
    return fail(ErrorCode::unavailable, "lo, which is to have the VIP, is down (ip link set lo up)");
  return {};
}

// There it would answer ARP and neighbour solicitations, whatever is set for lo.
Result<void> check_vips(const Options& options, const Facts& facts) {
  for (const Address& vip : options.vips)
    if (std::ranges::find(facts.own_addresses, vip) != facts.own_addresses.end())
      return fail(ErrorCode::busy,
                  fmt::format("{} is an address of another interface than lo, which answers for it; take it away first",
                              to_string(vip)));
  return {};
}

}  // namespace

ProgramConfig program_config(const Options& options, const Facts& facts) {
  const bool may_come_in_ipv6 = has_family(facts.own_addresses, Family::ipv6);
  return {.vips = options.vips,
          .own_addresses = facts.own_addresses,
          .overhead = may_come_in_ipv6 ? tunnel_overhead_ipv6 : tunnel_overhead_ipv4,
          .mss = options.mss.value_or(0),
          .directors = options.directors,
          .option_kind = options.option_kind,
          .cgroup = options.cgroup.value_or("")};
}

Result<Plan> make_plan(const Options& options, const Facts& facts) {
  Plan plan{.purpose = purpose_of(options), .settings = {}};
  if (auto checked = check_vips(options, facts); !checked) return fail(checked.error());
  if (!options.vips.empty()) {
    if (auto checked = check_lo(facts); !checked) return fail(checked.error());
  }
  if (has_family(options.vips, Family::ipv4)) add_silence(plan.settings);
  if (options.methods.contains(Method::tunnel)) {
    const auto interfaces = chosen_interfaces(options, facts);
    if (!interfaces) return fail(interfaces.error());
    add_tunnel_end(plan.settings, *interfaces, options, facts);
  }
  if (!options.vips.empty()) add_vips(plan.settings, options.vips);
  if (options.methods.contains(Method::fullnat)) add_client_address(plan.settings, program_config(options, facts));
  return plan;
}

}  // namespace penstock::agent
