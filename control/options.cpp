#include "control/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <limits>

namespace penstock::control {
namespace {

using Take = std::function<Result<void>(Options&, std::string_view)>;

struct Option {
  std::string_view name;
  bool has_value;
  Take take;
};

Take sets(Options::Action action) {
  return [action](Options& options, std::string_view) -> Result<void> {
    options.action = action;
    return {};
  };
}

Take sets_size(u64 Sizes::* member) {
  return [member](Options& options, std::string_view text) -> Result<void> {
    const auto size = parse_size(text);
    if (!size)
      return fail(ErrorCode::invalid_argument, fmt::format("\"{}\" is not a size (such as 65536, 64M or 1G)", text));
    options.sizes.*member = *size;
    return {};
  };
}

Result<void> take_mode(Options& options, std::string_view text) {
  if (text == "auto")
    options.interfaces.mode = ModeChoice::automatic;
  else if (text == "native")
    options.interfaces.mode = ModeChoice::native;
  else if (text == "generic")
    options.interfaces.mode = ModeChoice::generic;
  else if (text == "tc")
    options.interfaces.mode = ModeChoice::tc;
  else
    return fail(ErrorCode::invalid_argument, fmt::format("\"{}\" is not auto, native, tc or generic", text));
  return {};
}

Result<void> take_interface(Options& options, std::string_view text) {
  options.interfaces.names.emplace_back(text);
  return {};
}

const auto& all_options() {
  static const std::array options = {
      Option{"--interface", true, take_interface},
      Option{"--mode", true, take_mode},
      Option{"--connections-bytes", true, sets_size(&Sizes::connections_bytes)},
      Option{"--services-max", true, sets_size(&Sizes::services_max)},
      Option{"--servers-max", true, sets_size(&Sizes::servers_max)},
      Option{"--schedule-cells", true, sets_size(&Sizes::schedule_cells)},
      Option{"--socket-group", true,
             [](Options& into, std::string_view text) -> Result<void> {
               into.socket_group = text;
               return {};
             }},
      Option{"--bpffs", true,
             [](Options& into, std::string_view text) -> Result<void> {
               into.bpffs = text;
               return {};
             }},
      Option{"--foreground", false, sets(Options::Action::serve)},
      Option{"--unload", false, sets(Options::Action::unload)},
      Option{"--help", false, sets(Options::Action::help)},
      Option{"-h", false, sets(Options::Action::help)},
      Option{"--version", false, sets(Options::Action::version)},
  };
  return options;
}

}  // namespace

Result<Options> parse_options(std::span<const char* const> arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const std::size_t equals = argument.starts_with("--") ? argument.find('=') : std::string_view::npos;
    const std::string_view name = argument.substr(0, equals);
    const auto found = std::ranges::find(all_options(), name, &Option::name);
    if (found == all_options().end())
      return fail(ErrorCode::invalid_argument,
                  fmt::format("{} is no option of penstockd (see penstockd --help)", argument));
    std::string_view value;
    if (equals != std::string_view::npos) {
      if (!found->has_value) return fail(ErrorCode::invalid_argument, fmt::format("{} takes no value", name));
      value = argument.substr(equals + 1);
    } else if (found->has_value) {
      if (++i == arguments.size()) return fail(ErrorCode::invalid_argument, fmt::format("{} wants a value", name));
      value = arguments[i];
    }
    if (auto taken = found->take(options, value); !taken) return with_context(name, taken.error());
  }
  return options;
}

std::optional<u64> parse_size(std::string_view text) {
  u64 number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc{}) return std::nullopt;
  const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  const int shift = unit.empty() ? 0 : unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
  if (shift < 0 || number > std::numeric_limits<u64>::max() >> shift) return std::nullopt;
  return number << shift;
}

std::string_view help_text() {
  return R"(penstockd: the Penstock director of this network namespace

usage: penstockd [option…]

Attaches the packet path (XDP or TC) to the network interfaces and takes commands from ipvsadm and penstock, which find it by the
network namespace. The packet path and its tables are pinned in the BPF file system: when penstockd ends or is killed, packets
go on being forwarded and connections stay; the next penstockd takes over.

  --interface NAME         serve on this interface; may be repeated
                           (default: every Ethernet interface that is up, and those that come up later)
  --mode auto|native|tc|generic
                           where the packet path runs: as XDP in the driver (native), in the kernel's stack behind it (tc, or
                           XDP there: generic, which knows less of a packet), or native where the driver can and tc where it
                           can't and on veth, tun and bridge, whose packets XDP would spoil (auto, the default); `penstock status`
                           says which it is
  --connections-bytes SIZE memory for connections, 64 bytes each (default 64M: a million)
  --services-max N         virtual services (default 4096)
  --servers-max N          real servers of all services together, and one (default 4096, at most 65536)
  --schedule-cells N       room for schedules, 8 bytes each (default 1048576)
                           SIZE and N may end in K, M or G. Sizes are chosen when the tables are made: adopted tables keep theirs
  --socket-group GROUP     members may use ipvsadm and penstock, too (default: root only)
  --bpffs DIRECTORY        the BPF file system to pin in (default: /sys/fs/bpf, mounted if need be)
  --foreground             stay in the foreground (this is so anyway; systemd runs it best)
  --unload                 end the packet path of this namespace: detach it and remove its tables with all connections.
                           Services are kept for the next start (ipvsadm -C removes them)
  --help, --version

files, INODE being the network namespace's (stat -Lc %i /proc/self/ns/net):
  /run/penstock/INODE/control.sock   commands (PENSTOCK_SOCKET names another place)
  /run/penstock/INODE/state.json     services and real servers
  /sys/fs/bpf/penstock/INODE/        packet path and tables
)";
}

}  // namespace penstock::control
