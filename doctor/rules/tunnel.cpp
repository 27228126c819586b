// Do packets still fit with a tunnel's headers around them? From both ends.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "doctor/facts_about.hpp"
#include "doctor/rules.hpp"
#include "doctor/rules/each_server.hpp"

namespace penstock::doctor {
namespace {

using model::Family;

constexpr std::uint32_t ip_header(Family family) { return family == Family::ipv4 ? 20 : 40; }
constexpr std::uint32_t tcp_header = 20;
// RFC 791 §3.2 (what every host must take), RFC 8200 §5.
constexpr std::uint32_t mtu_min(Family family) { return family == Family::ipv4 ? 576 : 1280; }

// Bytes around each packet: RFC 2003, RFC 2784 (GRE, with its checksum 4 more), RFC 768 with draft-ietf-intarea-gue.
std::uint32_t overhead_of(const model::RealServer& server) {
  const std::uint32_t outer = ip_header(server.endpoint.address.family);
  switch (server.tunnel.type) {
    case model::TunnelType::ipip:
      return outer;
    case model::TunnelType::gre:
      return outer + (server.tunnel.checksum == model::TunnelChecksum::none ? 4 : 8);
    case model::TunnelType::gue:
      return outer + 8 + 4;
  }
  return outer;
}

// 0: not known.
std::uint32_t mtu_of(const Facts& facts, const Way& way) {
  const Interface* interface = find_interface(facts, way.interface);
  if (!interface) return way.mtu;
  return way.mtu == 0 ? interface->mtu : std::min(way.mtu, interface->mtu);
}

template <typename Each>
void for_each_tunnel(const Director& director, Each each) {
  for_each_server(director, [&](const model::Service& service, const model::RealServer& server) {
    if (server.method == model::Method::tunnel) each(service, server);
  });
}

}  // namespace

Findings tunnel_too_narrow(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  std::set<std::pair<model::Address, Family>> said;
  for_each_tunnel(*facts.director, [&](const model::Service& service, const model::RealServer& server) {
    const model::Address& address = server.endpoint.address;
    const Way* way = find_way(facts, address);
    if (!way || way->kind != Way::Kind::unicast) return;
    const std::uint32_t mtu = mtu_of(facts, *way);
    const std::uint32_t overhead = overhead_of(server);
    const Family family = service.key.vip.address.family;
    if (mtu == 0 || mtu >= overhead + mtu_min(family) || !said.insert({address, family}).second) return;
    findings.push_back(
        {.fault = Fault::tunnel_too_narrow,
         .what = fmt::format("The tunnel to {} carries {} bytes ({} less {} of headers), and {} needs {}.",
                             to_string(address), mtu > overhead ? mtu - overhead : 0, mtu, overhead, to_string(family),
                             mtu_min(family)),
         .mend = fmt::format("Raise the MTU of {} and of the way to the server.",
                             name_of_interface(facts, way->interface))});
  });
  return findings;
}

Findings tunnel_too_big(const Facts& facts) {
  if (!facts.director) return {};
  bool has_tunnel = false;
  for_each_tunnel(*facts.director, [&](const model::Service&, const model::RealServer&) { has_tunnel = true; });
  const std::uint64_t packets = growth_of(*facts.director, "too_big") + growth_of(*facts.director, "to_be_fragmented");
  if (!has_tunnel || packets == 0) return {};
  return {{.fault = Fault::tunnel_too_big,
           .what = fmt::format("{} requests were too big for their tunnel while the doctor looked.", packets),
           .mend = "Let the real servers announce a smaller MSS; on each see:",
           .commands = {"penstock doctor"}}};
}

Findings tunnel_mss_too_big(const Facts& facts) {
  if (!facts.real_server || facts.real_server->method != model::Method::tunnel || facts.clamps_mss) return {};
  Findings findings;
  std::set<Family> said;
  for (const model::Address& vip : facts.real_server->vips) {
    const Family family = vip.family;
    const auto client = client_of(facts, family);
    const Way* way = client ? find_way(facts, *client) : nullptr;
    if (!way || way->kind != Way::Kind::unicast || !said.insert(family).second) continue;
    const Interface* interface = find_interface(facts, way->interface);
    if (!interface) continue;
    const std::uint32_t headers = ip_header(family) + tcp_header;
    const std::uint32_t by_mtu = mtu_of(facts, *way) - headers;
    const std::uint32_t announced = way->advertised_mss == 0 ? by_mtu : std::min(by_mtu, way->advertised_mss);
    // The smallest tunnel, IPIP of the same family. What the other hosts' links carry is not known: this one's stands for them.
    const std::uint32_t fits = interface->mtu - headers - ip_header(family);
    if (announced <= fits) continue;
    const std::string via = way->gateway ? " via " + to_string(*way->gateway) : "";
    findings.push_back(
        {.fault = Fault::tunnel_mss_too_big,
         .what = fmt::format("{} announces segments of {} bytes to clients, and a tunnel over {} carries at most {}.",
                             to_string(vip), announced, interface->name, fits),
         .mend = "Start it by `penstock realserver start --method tunnel`, or lower it on the route to clients (GRE "
                 "and GUE need up to 12 less):",
         .commands = {
             fmt::format("{} route change default{} dev {} advmss {}", ip_tool(family), via, interface->name, fits)}});
  }
  return findings;
}

}  // namespace penstock::doctor
