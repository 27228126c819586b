#include "cli/penstock.hpp"

#include "cli/penstock_local.hpp"
#include "cli/penstock_mark.hpp"
#include "cli/penstock_setting.hpp"
#include "cli/status.hpp"

namespace penstock::cli {
namespace {

constexpr const char* release = "0.1";

constexpr const char* usage = R"(usage: penstock COMMAND

  status [--json]            services, connections and packets of the director in this network namespace
  mark add|del|list …        firewall marks, for services made by ipvsadm -f
  setting list|get|set …     IPVS's sysctls net.ipv4.vs.*, and Penstock's own
  local add|del|list …       addresses that fullnat connects from
  realserver start|stop|…    this host as a real server: VIP, ARP silence, tunnel's end, the client's address
  doctor …                   what is wrong with this director or real server, and what mends it
  lab …                      a cluster of hosts on this machine
  version                    which release this is

penstock COMMAND --help says more. Services and real servers are managed with ipvsadm; a real server behind fullnat is
added by ipvsadm -a … --fullnat.
)";

int show_status(const Words& words, const Console& console) {
  const bool as_json = words == Words{"--json"};
  if (asks_for_help(words)) {
    console.out << "usage: penstock status [--json]\n";
    return exit_done;
  }
  if (!words.empty() && !as_json) return misunderstood(console, "status: unknown argument " + words[0], usage);
  return ask(console, [&](api::Director& director) -> Result<void> {
    const auto status = read_status(director);
    if (!status) return fail(status.error());
    console.out << (as_json ? status_json(*status) : status_table(*status));
    return {};
  });
}

int show_text(const std::string& command, const Words& words, const Console& console, const std::string& text) {
  if (!words.empty()) return misunderstood(console, command + ": unknown argument " + words[0], usage);
  console.out << text;
  return exit_done;
}

}  // namespace

int run_penstock(const std::vector<std::string>& args, std::ostream& out, std::ostream& err,
                 const std::function<Result<api::Director*>()>& director) {
  const Console console{out, err, director};
  if (args.size() < 2) return misunderstood(console, "which command?", usage);
  const std::string& command = args[1];
  const Words words(args.begin() + 2, args.end());
  if (command == "status") return show_status(words, console);
  if (command == "mark") return run_mark(words, console);
  if (command == "setting") return run_setting(words, console);
  if (command == "local") return run_local(words, console);
  if (command == "version" || command == "--version")
    return show_text(command, words, console, fmt::format("penstock {}\n", release));
  if (command == "help" || command == "--help" || command == "-h") return show_text(command, words, console, usage);
  return misunderstood(console, "unknown command " + command, usage);
}

}  // namespace penstock::cli
