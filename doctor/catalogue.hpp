// Every fault that the doctor knows: its name for programs, how bad it is, where it is looked for, what it does to users.
// docs/doctor.md is this table; a test holds it to that.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace penstock::doctor {

enum class Fault : std::uint8_t {
  // Of a director.
  penstockd_not_running,
  pins_missing,
  not_attached,
  packet_path_gone,
  generic_xdp,
  xdp_frames_lost,
  checksums_owed,
  lro_on,
  interface_down,
  service_without_servers,
  service_quiesced,
  port_mapping_ignored,
  mark_without_rule,
  vip_not_on_director,
  director_arp_silent,
  server_without_route,
  server_behind_router,
  next_hop_unresolved,
  server_refuses,
  server_silent,
  nat_in_one_network,
  loopback_server,
  ip_forward_off,
  rp_filter_on_director,
  firewall_bypassed,
  local_address_unanswered,
  local_address_taken,
  local_ports_exhausted,
  connection_table_full,
  packets_lost,
  tunnel_too_narrow,
  tunnel_too_big,
  // Of a real server.
  vip_missing,
  vip_on_link,
  vip_prefix_too_short,
  arp_not_silent,
  arp_announces_vip,
  vip_unanswered,
  vip_not_at_director,
  gateway_not_director,
  no_way_to_clients,
  rp_filter_drops_requests,
  decapsulation_missing,
  tunnel_mss_too_big,
  firewall_drops_vip,
  // Of both.
  vip_answered_twice,
  vip_duplicate,
};

enum class Severity : std::uint8_t { warning, error };
enum class Side : std::uint8_t { director, real_server, both };

struct CatalogueRow {
  Fault fault;
  std::string_view id;  // stable: scripts compare it
  Severity severity;    // error: some clients are not served now; warning: they may not be, or slower than need be
  Side side;
  std::string_view meaning;
};

// In the order of the enumeration.
[[nodiscard]] std::span<const CatalogueRow> catalogue();
[[nodiscard]] const CatalogueRow& row_of(Fault fault);

[[nodiscard]] std::string_view to_string(Severity severity);  // "error", "warning"
[[nodiscard]] std::string_view to_string(Side side);          // "director", "real server", "both"

}  // namespace penstock::doctor
