#include "cli/penstock_local.hpp"

namespace penstock::cli {
namespace {

constexpr const char* usage = R"(usage: penstock local add ADDRESS   connect to real servers from ADDRESS, too
       penstock local del ADDRESS   begin no more connections from ADDRESS
       penstock local list

These are for real servers of method fullnat (ipvsadm -a … --fullnat): clients reach them from one of the director's local
addresses, to which they answer without any set-up of their own. ADDRESS must be routed to the director and be used by
nothing else there, because all its ports from 1024 on are given to connections. One ADDRESS takes some 64000 connections
to each real server. Up to 255 addresses.

  ip address add 10.0.0.250/32 dev lo
  penstock local add 10.0.0.250
  ipvsadm -a -t 192.0.2.1:80 -r 10.0.0.11:8080 --fullnat
)";

int list(const Console& console) {
  return ask(console, [&](api::Director& director) -> Result<void> {
    const auto addresses = director.local_addresses();
    if (!addresses) return fail(addresses.error());
    for (const model::Address& address : *addresses) console.out << to_string(address) << '\n';
    return {};
  });
}

}  // namespace

int run_local(const Words& words, const Console& console) {
  if (asks_for_help(words)) {
    console.out << usage;
    return exit_done;
  }
  if (words == Words{"list"}) return list(console);
  const bool adds = !words.empty() && words[0] == "add";
  if (!adds && (words.empty() || words[0] != "del")) return misunderstood(console, "local: add, del or list?", usage);
  if (words.size() != 2) return misunderstood(console, "local " + words[0] + ": one address is expected", usage);
  const auto address = model::parse_address(words[1]);
  if (!address) return misunderstood(console, "local " + words[0] + ": \"" + words[1] + "\" is not an address", usage);
  return ask(console, [&](api::Director& director) {
    return adds ? director.add_local_address(*address) : director.delete_local_address(*address);
  });
}

}  // namespace penstock::cli
