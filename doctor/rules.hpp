// The rules: each looks at the facts for faults of one kind. Pure; what a rule has no facts about it does not find.
#pragma once

#include <span>

#include "doctor/facts.hpp"
#include "doctor/finding.hpp"

namespace penstock::doctor {

using Rule = Findings (*)(const Facts&);

// Each on a director only.
[[nodiscard]] Findings penstockd_not_running(const Facts& facts);
[[nodiscard]] Findings pins_missing(const Facts& facts);
[[nodiscard]] Findings not_attached(const Facts& facts);
[[nodiscard]] Findings packet_path_gone(const Facts& facts);
[[nodiscard]] Findings generic_xdp(const Facts& facts);
[[nodiscard]] Findings xdp_frames_lost(const Facts& facts);
[[nodiscard]] Findings checksums_owed(const Facts& facts);
[[nodiscard]] Findings lro_on(const Facts& facts);
[[nodiscard]] Findings interface_down(const Facts& facts);
[[nodiscard]] Findings service_without_servers(const Facts& facts);
[[nodiscard]] Findings service_quiesced(const Facts& facts);
[[nodiscard]] Findings port_mapping_ignored(const Facts& facts);
[[nodiscard]] Findings mark_without_rule(const Facts& facts);
[[nodiscard]] Findings vip_not_on_director(const Facts& facts);
[[nodiscard]] Findings director_arp_silent(const Facts& facts);
[[nodiscard]] Findings server_without_route(const Facts& facts);
[[nodiscard]] Findings next_hop_unresolved(const Facts& facts);
[[nodiscard]] Findings server_refuses(const Facts& facts);
[[nodiscard]] Findings server_silent(const Facts& facts);
[[nodiscard]] Findings nat_in_one_network(const Facts& facts);
[[nodiscard]] Findings loopback_server(const Facts& facts);
[[nodiscard]] Findings ip_forward_off(const Facts& facts);
[[nodiscard]] Findings rp_filter_on_director(const Facts& facts);
[[nodiscard]] Findings firewall_bypassed(const Facts& facts);
[[nodiscard]] Findings local_address_unanswered(const Facts& facts);
[[nodiscard]] Findings local_address_taken(const Facts& facts);
[[nodiscard]] Findings local_ports_exhausted(const Facts& facts);
[[nodiscard]] Findings connection_table_full(const Facts& facts);
[[nodiscard]] Findings packets_lost(const Facts& facts);
[[nodiscard]] Findings tunnel_too_narrow(const Facts& facts);
[[nodiscard]] Findings tunnel_too_big(const Facts& facts);

// Each on a real server only.
[[nodiscard]] Findings vip_missing(const Facts& facts);
[[nodiscard]] Findings vip_on_link(const Facts& facts);
[[nodiscard]] Findings vip_prefix_too_short(const Facts& facts);
[[nodiscard]] Findings arp_not_silent(const Facts& facts);
[[nodiscard]] Findings arp_announces_vip(const Facts& facts);
[[nodiscard]] Findings vip_unanswered(const Facts& facts);
[[nodiscard]] Findings vip_not_at_director(const Facts& facts);
[[nodiscard]] Findings gateway_not_director(const Facts& facts);
[[nodiscard]] Findings no_way_to_clients(const Facts& facts);
[[nodiscard]] Findings rp_filter_drops_requests(const Facts& facts);
[[nodiscard]] Findings decapsulation_missing(const Facts& facts);
[[nodiscard]] Findings tunnel_mss_too_big(const Facts& facts);
[[nodiscard]] Findings firewall_drops_vip(const Facts& facts);

// On both.
[[nodiscard]] Findings server_behind_router(const Facts& facts);
[[nodiscard]] Findings vip_answered_twice(const Facts& facts);
[[nodiscard]] Findings vip_duplicate(const Facts& facts);

// All of them, in the catalogue's order.
[[nodiscard]] std::span<const Rule> rules();

// What all rules find, errors first.
[[nodiscard]] Findings examine(const Facts& facts);

}  // namespace penstock::doctor
