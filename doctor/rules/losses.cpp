// What the packet path counted while the doctor looked.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "doctor/facts_about.hpp"
#include "doctor/rules.hpp"

namespace penstock::doctor {
namespace {

struct Loss {
  std::string_view reason;
  std::string_view mend;
};

// Reasons that neither clients nor an operator's own settings cause (datapath/abi/reason.hpp); those with a finding of their own
// are not here.
constexpr Loss losses[] = {
    {"next_hop_unresolved", "See that the real servers and routers answer ARP or neighbour solicitations: `ip neigh`."},
    {"punt_full", "See that penstockd runs and is not starved of processor time."},
    {"no_room", "Lower the MTU on the way to the director by the size of the tunnel's headers."},
    {"bug", "Please report this, with the output of `penstock status --json`."},
    {"no_checksum", "Let the IPv4 server send UDP checksums: IPv6 clients need them."},
    {"toa_no_room", "Turn transmit offload off at the other end of the link, or set toa_kind 0 if nobody reads it."},
    {"tunnel_not_summed", "Use `ipvsadm -e … --tun-nocsum`, or turn segmentation offload off at the link's other end."},
};

}  // namespace

Findings packets_lost(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  for (const Loss& loss : losses) {
    const std::uint64_t packets = growth_of(*facts.director, loss.reason);
    if (packets == 0) continue;
    findings.push_back(
        {.fault = Fault::packets_lost,
         .what = fmt::format("{} packets were counted as {} while the doctor looked.", packets, loss.reason),
         .mend = std::string(loss.mend)});
  }
  return findings;
}

Findings local_ports_exhausted(const Facts& facts) {
  if (!facts.director) return {};
  const std::uint64_t packets = growth_of(*facts.director, "local_ports_exhausted");
  if (packets == 0) return {};
  return {{.fault = Fault::local_ports_exhausted,
           .what = fmt::format("fullnat found no free port for {} packets while the doctor looked.", packets),
           .mend = "Add a local address that is routed to this director:",
           .commands = {"penstock local add ADDRESS"}}};
}

Findings connection_table_full(const Facts& facts) {
  if (!facts.director) return {};
  const std::uint64_t packets =
      growth_of(*facts.director, "connection_table_full") + growth_of(*facts.director, "stateless");
  if (packets == 0) return {};
  return {
      {.fault = Fault::connection_table_full,
       .what = fmt::format("The table of {} connections is full: {} packets met no free place while the doctor looked.",
                           facts.director->connections_max, packets),
       .mend = "Start penstockd with a larger --connections-bytes when its connections may be lost, or shorten the "
               "timeouts (`ipvsadm --set`)."}};
}

}  // namespace penstock::doctor
