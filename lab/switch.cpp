#include "lab/switch.hpp"

#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "lab/network_namespace_scope.hpp"
#include "lab/network_plan.hpp"
#include "lab/wait_until.hpp"
#include "lab/xdp_pass.hpp"

namespace penstock::lab {
namespace {

constexpr std::chrono::milliseconds forwarding_time_max{5000};

// `ethtool -K PORT tx off`: frames leave the port with whole checksums, as on a wire. A partial one is a mark beside the packet, which
// XDP loses: the real server would drop the packet. Segmentation offload goes with it.
Result<void> turn_off_transmit_offload(const std::string& port) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_value off{.cmd = ETHTOOL_STXCSUM, .data = 0};
  ifreq request{};
  std::ranges::copy(port, request.ifr_name);
  request.ifr_data = reinterpret_cast<char*>(&off);
  if (ioctl(socket.get(), SIOCETHTOOL, &request) != 0) return fail_errno("transmit offload off on " + port, errno);
  return {};
}

Result<void> make_links(const Topology& topology, const std::vector<RunningHost>& hosts) {
  std::map<std::string, pid_t> pids;
  for (const RunningHost& host : hosts) pids[host.name] = host.process.pid;
  auto made = run_successfully(
      {.argv = {"ip", "-batch", "-"}, .environment = tool_environment(), .input = switch_commands(topology, pids)});
  if (!made) return with_context("making bridges and cables", std::move(made.error()));
  return {};
}

bool forwards(const RunningHost& switch_host, const Port& port) {
  // The switch's own /sys shows its own interfaces. 3: BR_STATE_FORWARDING
  const auto state =
      read_file(fmt::format("/proc/{}/root/sys/class/net/{}/brport/state", switch_host.process.pid, port.name));
  return state && state->starts_with('3');
}

}  // namespace

Result<std::vector<FileDescriptor>> wire(const Topology& topology, const RunningHost& switch_host,
                                         const std::vector<RunningHost>& hosts) {
  const NetworkNamespaceScope on_switch(switch_host.pidfd);
  if (!on_switch.entered()) return fail_errno("entering the switch", errno);
  if (auto made = make_links(topology, hosts); !made) return fail(std::move(made.error()));
  std::vector<FileDescriptor> xdp_links;
  for (const Host& host : topology.hosts) {
    for (const Port& port : ports_of(topology, host)) {
      if (auto off = turn_off_transmit_offload(port.name); !off) return fail(std::move(off.error()));
      if (!host.xdp_port) continue;
      auto link = attach_xdp_pass(port.name);
      if (!link) return fail(std::move(link.error()));
      xdp_links.push_back(std::move(*link));
    }
  }
  return xdp_links;
}

Result<void> wait_for_ports(const Topology& topology, const RunningHost& switch_host) {
  const Deadline deadline = in(forwarding_time_max);
  for (const Host& host : topology.hosts) {
    for (const Port& port : ports_of(topology, host)) {
      if (wait_until(deadline, [&] { return forwards(switch_host, port); })) continue;
      return fail(ErrorCode::unavailable, fmt::format("the switch's port {} does not forward after {} ms", port.name,
                                                      forwarding_time_max.count()));
    }
  }
  return {};
}

}  // namespace penstock::lab
