// Is the packet path where the requests come in, and does it run as well as it could there?
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "doctor/facts_about.hpp"
#include "doctor/rules.hpp"

namespace penstock::doctor {
namespace {

// As control names its programs; the kernel adds the number.
constexpr std::string_view tc_program = "penstock_tc:";

const api::InterfaceView* find_attached(const Director& director, const std::string& interface) {
  const auto found = std::ranges::find(director.attached, interface, &api::InterfaceView::name);
  return found == director.attached.end() ? nullptr : &*found;
}

// Packets from there may be uncut and without their checksums: TC does them justice (ADR-0012).
bool is_fed_by_a_kernel(const Interface& interface) {
  return interface.kind == "veth" || interface.kind == "tun" || interface.kind == "bridge";
}

// On itself, or below it: what is attached to the device under a VLAN sees its frames with their tags.
bool is_covered(const Facts& facts, const Interface& interface) {
  if (find_attached(*facts.director, interface.name)) return true;
  const Interface* parent = interface.parent == 0 ? nullptr : find_interface(facts, interface.parent);
  return parent && find_attached(*facts.director, parent->name);
}

Finding not_attached_to(const Interface& interface, const model::Address& vip) {
  Finding finding{
      .fault = Fault::not_attached,
      .what = fmt::format("The packet path is not attached to {}, by which requests for {} arrive.", interface.name,
                          to_string(vip)),
      .mend = fmt::format("Start penstockd with --interface {}, or without any --interface.", interface.name)};
  if (interface.xdp == XdpMode::none) return finding;
  finding.mend = "Take the other XDP program off, then start penstockd again:";
  finding.commands = {fmt::format("ip link set dev {} xdp off", interface.name)};
  return finding;
}

bool is_there(const Interface& interface, const std::string& mode) {
  if (mode != "tc") return interface.xdp != XdpMode::none;
  return std::ranges::any_of(interface.filters, [](const std::string& name) { return name.starts_with(tc_program); });
}

// Interfaces that the packet path is attached to, with its mode.
template <typename Each>
void for_each_attached(const Facts& facts, Each each) {
  if (!facts.director) return;
  for (const api::InterfaceView& attached : facts.director->attached)
    if (const Interface* interface = find_interface(facts, attached.name)) each(*interface, attached.mode);
}

}  // namespace

Findings penstockd_not_running(const Facts& facts) {
  if (!facts.director || facts.director->is_running) return {};
  return {{.fault = Fault::penstockd_not_running,
           .what = "penstockd does not run in this network namespace.",
           .mend = "Start it; it takes over connections and services:",
           .commands = {"penstockd"}}};
}

Findings pins_missing(const Facts& facts) {
  if (!facts.director || facts.director->has_pins) return {};
  return {
      {.fault = Fault::pins_missing,
       .what = fmt::format("The pins in {} are gone: connections will not outlive penstockd.", facts.director->pins),
       .mend = "Restart penstockd when losing all connections does least harm."}};
}

Findings not_attached(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  std::set<std::uint32_t> said;
  for (const model::Address& vip : virtual_addresses(*facts.director)) {
    for (const std::uint32_t index : entrances_of(facts, vip)) {
      const Interface* interface = find_interface(facts, index);
      // penstockd waits for an interface to come up.
      if (!interface || !interface->is_up || is_covered(facts, *interface)) continue;
      if (said.insert(index).second) findings.push_back(not_attached_to(*interface, vip));
    }
  }
  return findings;
}

Findings packet_path_gone(const Facts& facts) {
  Findings findings;
  for_each_attached(facts, [&](const Interface& interface, const std::string& mode) {
    if (is_there(interface, mode)) return;
    findings.push_back({.fault = Fault::packet_path_gone,
                        .what = fmt::format("The packet path was taken off {}, where penstockd had attached it ({}).",
                                            interface.name, mode),
                        .mend = "Restart penstockd, which attaches it again."});
  });
  return findings;
}

Findings generic_xdp(const Facts& facts) {
  Findings findings;
  for_each_attached(facts, [&](const Interface& interface, const std::string& mode) {
    if (mode != "generic") return;
    Finding finding{.fault = Fault::generic_xdp,
                    .what = fmt::format("The packet path runs as generic XDP on {}.", interface.name),
                    .mend = "Start penstockd again with native XDP, or with TC where the driver has none:",
                    .commands = {"penstockd --mode native"}};
    if (is_fed_by_a_kernel(interface)) {
      finding.mend = "Start penstockd again with TC:";
      finding.commands = {"penstockd --mode tc"};
    }
    findings.push_back(std::move(finding));
  });
  return findings;
}

Findings xdp_frames_lost(const Facts& facts) {
  Findings findings;
  for_each_attached(facts, [&](const Interface& interface, const std::string& mode) {
    const bool never_went_well = interface.xdp_lost.after > 0 && interface.xdp_sent.after == 0;
    if (mode != "native" || (interface.xdp_lost.growth() == 0 && !never_went_well)) return;
    Finding finding{.fault = Fault::xdp_frames_lost,
                    .what = fmt::format("{} loses frames that native XDP sends: {} so far.", interface.name,
                                        interface.xdp_lost.after),
                    .mend = "Start penstockd again with --mode tc, or see `ethtool -S` for what the driver lacks."};
    if (interface.kind == "veth")
      finding.mend = "Attach an XDP program to the veth's other end, or start penstockd again with --mode tc.";
    findings.push_back(std::move(finding));
  });
  return findings;
}

Findings checksums_owed(const Facts& facts) {
  Findings findings;
  for_each_attached(facts, [&](const Interface& interface, const std::string& mode) {
    if (mode == "tc" || !interface.owes_checksums) return;
    findings.push_back(
        {.fault = Fault::checksums_owed,
         .what = fmt::format("Frames reach {} with checksums still to be computed, which XDP can't.", interface.name),
         .mend = "Start penstockd again with --mode tc, or turn transmit offload off at the other end of the link:",
         .commands = {"ethtool -K OTHER_END tx off"}});
  });
  return findings;
}

Findings lro_on(const Facts& facts) {
  Findings findings;
  for_each_attached(facts, [&](const Interface& interface, const std::string&) {
    if (!interface.has_lro) return;
    findings.push_back({.fault = Fault::lro_on,
                        .what = fmt::format("Large receive offload is on at {}.", interface.name),
                        .mend = "Turn it off:",
                        .commands = {fmt::format("ethtool -K {} lro off", interface.name)}});
  });
  return findings;
}

Findings interface_down(const Facts& facts) {
  if (!facts.director) return {};
  std::set<std::uint32_t> needed;
  const auto add_links = [&](const model::Address& address) {
    for (const std::uint32_t index : links_with(facts, address)) needed.insert(index);
  };
  for (const model::Address& vip : virtual_addresses(*facts.director))
    for (const std::uint32_t index : entrances_of(facts, vip)) needed.insert(index);
  for (const api::ServiceView& service : facts.director->services)
    for (const api::ServerView& server : service.servers) add_links(server.server.endpoint.address);

  Findings findings;
  for (const std::uint32_t index : needed) {
    const Interface* interface = find_interface(facts, index);
    if (!interface || (interface->is_up && interface->has_carrier)) continue;
    Finding finding{
        .fault = Fault::interface_down,
        .what = fmt::format("{} is down, and virtual addresses or real servers are in its network.", interface->name),
        .mend = "Bring it up:",
        .commands = {fmt::format("ip link set dev {} up", interface->name)}};
    if (interface->is_up) {
      finding.what =
          fmt::format("{} has no carrier, and virtual addresses or real servers are in its network.", interface->name);
      finding.mend = "Look at its cable, or at the other end of the link.";
      finding.commands.clear();
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace penstock::doctor
