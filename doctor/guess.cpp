#include "doctor/guess.hpp"

#include <algorithm>

#include "doctor/facts_about.hpp"

namespace penstock::doctor {
namespace {

using model::Method;

std::vector<model::Address> addresses_on_loopback(const Facts& facts) {
  std::vector<model::Address> found;
  for (const OwnAddress& own : facts.addresses) {
    const Interface* interface = find_interface(facts, own.interface);
    const bool is_usual = model::is_loopback(own.address) || !model::is_unicast(own.address);
    if (interface && interface->is_loopback && !is_usual) found.push_back(own.address);
  }
  return found;
}

bool may_end_tunnels(const Facts& facts) {
  return std::ranges::any_of(facts.interfaces, [](const Interface& interface) {
    const bool is_device = interface.kind == "ipip" || interface.kind == "sit" || interface.kind == "ip6tnl" ||
                           interface.kind == "gre" || interface.kind == "ip6gre";
    return interface.is_up && (is_device || interface.xdp != XdpMode::none || !interface.filters.empty());
  });
}

// Where a virtual address is in a network of this host's, its director is, too: that is direct routing.
Method guess_method(const Facts& facts, const std::vector<model::Address>& vips) {
  const bool is_near = std::ranges::any_of(vips, [&](const auto& vip) { return !links_with(facts, vip).empty(); });
  return !is_near && may_end_tunnels(facts) ? Method::tunnel : Method::direct;
}

}  // namespace

Result<RealServer> guess_real_server(const Options& options, const Facts& facts) {
  RealServer server{.vips = options.vips, .director = options.directors};
  if (server.vips.empty()) server.vips = addresses_on_loopback(facts);
  server.method = options.method.value_or(guess_method(facts, server.vips));
  const bool needs_vips = server.method == Method::direct || server.method == Method::tunnel;
  if (needs_vips && server.vips.empty())
    return fail(
        ErrorCode::not_found,
        "this is no director (penstockd does not run here), and lo has no virtual address; name it with --vip, or "
        "for nat and fullnat the method with --method");
  if (server.method == Method::nat && server.director.empty())
    return fail(ErrorCode::not_found, "for a real server of nat name the director's address with --director");
  return server;
}

}  // namespace penstock::doctor
