#include "doctor/rules.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace penstock::doctor {
namespace {

constexpr Rule all[] = {
    penstockd_not_running, pins_missing,
    not_attached,          packet_path_gone,
    generic_xdp,           xdp_frames_lost,
    checksums_owed,        lro_on,
    interface_down,        service_without_servers,
    service_quiesced,      port_mapping_ignored,
    mark_without_rule,     vip_not_on_director,
    director_arp_silent,   server_without_route,
    server_behind_router,  next_hop_unresolved,
    server_refuses,        server_silent,
    nat_in_one_network,    loopback_server,
    ip_forward_off,        rp_filter_on_director,
    firewall_bypassed,     local_address_unanswered,
    local_address_taken,   local_ports_exhausted,
    connection_table_full, packets_lost,
    tunnel_too_narrow,     tunnel_too_big,
    vip_missing,           vip_on_link,
    vip_prefix_too_short,  arp_not_silent,
    arp_announces_vip,     vip_unanswered,
    vip_not_at_director,   gateway_not_director,
    no_way_to_clients,     rp_filter_drops_requests,
    decapsulation_missing, tunnel_mss_too_big,
    firewall_drops_vip,    vip_answered_twice,
    vip_duplicate,
};

}  // namespace

std::span<const Rule> rules() { return all; }

Findings examine(const Facts& facts) {
  Findings errors;
  Findings warnings;
  for (const Rule rule : all) {
    for (Finding& finding : rule(facts)) {
      const bool is_error = row_of(finding.fault).severity == Severity::error;
      (is_error ? errors : warnings).push_back(std::move(finding));
    }
  }
  std::ranges::move(warnings, std::back_inserter(errors));
  return errors;
}

}  // namespace penstock::doctor
