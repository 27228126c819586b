#include "doctor/catalogue.hpp"

#include <cstddef>

namespace penstock::doctor {
namespace {

using enum Severity;
using enum Side;

constexpr CatalogueRow rows[] = {
    {Fault::penstockd_not_running, "penstockd-not-running", error, director,
     "Nobody answers on the director's socket. Connections go on, as the packet path is in the kernel, but nothing "
     "follows a change of MAC addresses or routes, expired connections are not swept, and what needs the daemon is "
     "lost: fragments, FTP."},
    {Fault::pins_missing, "pins-missing", warning, director,
     "The pins in the BPF file system by which the next penstockd would find tables and programs are gone: when the "
     "daemon ends, the packet path and all connections end, too."},
    {Fault::not_attached, "not-attached", error, director,
     "The packet path is not attached to an interface by which requests for a virtual address arrive: they go to the "
     "kernel, which refuses or drops them."},
    {Fault::packet_path_gone, "packet-path-gone", error, director,
     "penstockd attached the packet path to an interface, and somebody took it off since."},
    {Fault::generic_xdp, "generic-xdp", warning, director,
     "The packet path runs as generic XDP, the slowest way; where packets come from a kernel on the same machine "
     "(veth, "
     "tap, bridge) it also spoils checksums that are still to be computed. By itself penstockd takes native XDP or "
     "TC."},
    {Fault::xdp_frames_lost, "xdp-frames-lost", error, director,
     "The driver loses frames that native XDP sends. A veth does so while its other end runs no XDP program."},
    {Fault::checksums_owed, "checksums-owed", error, director,
     "Frames come with checksums that are still to be computed, as from a veth or tap whose other end has transmit "
     "offload on. XDP can't do that, and the real server drops what it gets."},
    {Fault::lro_on, "lro-on", warning, director,
     "Large receive offload joins packets on their way in: most drivers then refuse native XDP, and what was joined so "
     "can't be forwarded."},
    {Fault::interface_down, "interface-down", error, director,
     "An interface that requests or real servers need is down or has no carrier."},
    {Fault::service_without_servers, "service-without-servers", warning, director,
     "A service has no real servers: its clients are refused."},
    {Fault::service_quiesced, "service-quiesced", warning, director,
     "All real servers of a service have weight 0: new clients are refused."},
    {Fault::port_mapping_ignored, "port-mapping-ignored", error, director,
     "Direct routing and tunnels leave ports as they are: the real server gets the request on the service's port, "
     "whatever port it was added with."},
    {Fault::mark_without_rule, "mark-without-rule", error, director,
     "A service of a firewall mark has no rule that gives this mark. Marks of iptables and nftables come too late: "
     "packets reach Penstock first."},
    {Fault::vip_not_on_director, "vip-not-on-director", error, director,
     "The virtual address lies in a network of the director, but is none of its addresses: nobody answers ARP or "
     "neighbour solicitations for it."},
    {Fault::director_arp_silent, "director-arp-silent", error, director,
     "The director has the virtual address, but its arp_ignore forbids it to answer ARP for it."},
    {Fault::server_without_route, "server-without-route", error, director,
     "The director has no route to a real server."},
    {Fault::server_behind_router, "server-behind-router", error, both,
     "Direct routing changes MAC addresses only, so that director and real server must be on one link. A router "
     "between "
     "them sends the request on to the virtual address, which is the director."},
    {Fault::next_hop_unresolved, "next-hop-unresolved", error, director,
     "Nobody answers ARP or neighbour solicitations for a real server, or for the router to it."},
    {Fault::server_refuses, "server-refuses", warning, director,
     "A real server refuses TCP connections on the service's port: nothing listens there. (Of direct and tunnel one "
     "that listens on the virtual address alone refuses here, too.)"},
    {Fault::server_silent, "server-silent", warning, director,
     "A real server does not answer TCP connections on the service's port: a firewall drops them, or the host hangs."},
    {Fault::nat_in_one_network, "nat-in-one-network", warning, director,
     "A nat server is in the virtual address's own network: clients of that network get its replies directly, from an "
     "address that they never asked, and drop them."},
    {Fault::loopback_server, "loopback-server", error, director,
     "A nat server's address is a loopback address: the kernel takes nothing from outside there. A real server that is "
     "the director itself needs one of its other addresses."},
    {Fault::ip_forward_off, "ip-forward-off", warning, director,
     "Penstock forwards without the kernel's ip_forward. The kernel needs it for what Penstock leaves to it: "
     "connections "
     "that nat servers begin themselves, and nat packets while a MAC address is not known. Such packets come, and are "
     "dropped."},
    {Fault::rp_filter_on_director, "rp-filter-on-director", warning, director,
     "Strict rp_filter on an interface by which requests arrive while the way to clients leads elsewhere. What "
     "Penstock "
     "forwards does not mind; what it leaves to the kernel is dropped: ICMP and further ports of the virtual address, "
     "a "
     "real server that is the director itself."},
    {Fault::firewall_bypassed, "firewall-bypassed", warning, director,
     "The director's firewall has rules for a virtual address. What Penstock forwards never meets them: packets reach "
     "it "
     "before netfilter."},
    {Fault::local_address_unanswered, "local-address-unanswered", error, director,
     "A local address of fullnat lies in a network of the director, but is none of its addresses: nobody answers ARP "
     "or "
     "neighbour solicitations for it, and the real servers' replies are lost."},
    {Fault::local_address_taken, "local-address-taken", error, director,
     "Another host has a local address of fullnat: replies of real servers go there."},
    {Fault::local_ports_exhausted, "local-ports-exhausted", error, director,
     "fullnat finds no free port on its local addresses for new connections to a real server: 64512 for each address."},
    {Fault::connection_table_full, "connection-table-full", error, director,
     "The table of connections is full: new connections are forwarded without being remembered, or are dropped."},
    {Fault::packets_lost, "packets-lost", warning, director,
     "A reason to drop packets that should not occur grew while the doctor looked. The reasons are in "
     "datapath/abi/reason.hpp."},
    {Fault::tunnel_too_narrow, "tunnel-too-narrow", error, director,
     "A tunnel's headers leave less than every link must carry: 1280 bytes of IPv6 (RFC 8200 §5), 576 of IPv4 (RFC "
     "791). "
     "Clients do not go below that."},
    {Fault::tunnel_too_big, "tunnel-too-big", warning, director,
     "Requests that are too big for a tunnel keep coming. Each client is told by an ICMP message and sends again; "
     "where a "
     "firewall drops that message it hangs."},
    {Fault::vip_missing, "vip-missing", error, real_server,
     "A real server of direct or tunnel has not the virtual address: it drops requests, or sends them on."},
    {Fault::vip_on_link, "vip-on-link", error, real_server,
     "A real server has the virtual address on a network interface, not on lo: it answers ARP or neighbour "
     "solicitations for it, whatever arp_ignore says, and takes the director's place."},
    {Fault::vip_prefix_too_short, "vip-prefix-too-short", error, real_server,
     "The virtual address on lo has a prefix shorter than a host's: the real server takes the whole network for itself "
     "and reaches none of its hosts."},
    {Fault::arp_not_silent, "arp-not-silent", error, real_server,
     "A real server answers ARP for the virtual address: hosts and routers that ask may send requests to it and past "
     "the "
     "director."},
    {Fault::arp_announces_vip, "arp-announces-vip", warning, real_server,
     "A real server may ask by ARP in the virtual address's name, from which others learn its MAC address for it."},
    {Fault::vip_unanswered, "vip-unanswered", error, real_server,
     "Nobody on the link answers ARP or neighbour solicitations for the virtual address: no director has it."},
    {Fault::vip_not_at_director, "vip-not-at-director", error, real_server,
     "Another host than the director answers for the virtual address."},
    {Fault::gateway_not_director, "gateway-not-director", error, real_server,
     "Replies of a nat server do not go through the director, which alone can give them the virtual address back."},
    {Fault::no_way_to_clients, "no-way-to-clients", error, real_server,
     "A real server has no route to clients, so it can't reply."},
    {Fault::rp_filter_drops_requests, "rp-filter-drops-requests", error, real_server,
     "Strict rp_filter drops requests that arrive by another interface than the one towards clients: from a tunnel, or "
     "by "
     "a second network card."},
    {Fault::decapsulation_missing, "decapsulation-missing", error, real_server,
     "A real server of method tunnel has nothing that takes the outer headers off: no tunnel device that is up and no "
     "BPF program on its interfaces."},
    {Fault::tunnel_mss_too_big, "tunnel-mss-too-big", warning, real_server,
     "A tunnel's real server announces segments that do not fit into the tunnel. Each client has to learn that by an "
     "ICMP "
     "message; where a firewall drops it, uploads hang."},
    {Fault::firewall_drops_vip, "firewall-drops-vip", error, real_server,
     "The real server's firewall drops what is sent to the virtual address."},
    {Fault::vip_answered_twice, "vip-answered-twice", error, both,
     "More than one host answers ARP or neighbour solicitations for the virtual address: clients send to whoever was "
     "faster, past the director."},
    {Fault::vip_duplicate, "vip-duplicate", error, both,
     "IPv6 found the virtual address in use by another host when it was added, and does not use it here (RFC 4862 "
     "§5.4.5)."},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < std::size(rows); ++i)
    if (static_cast<std::size_t>(rows[i].fault) != i) return false;
  return static_cast<std::size_t>(Fault::vip_duplicate) + 1 == std::size(rows);
}
static_assert(is_in_order());

}  // namespace

std::span<const CatalogueRow> catalogue() { return rows; }

const CatalogueRow& row_of(Fault fault) { return rows[static_cast<std::size_t>(fault)]; }

std::string_view to_string(Severity severity) { return severity == error ? "error" : "warning"; }

std::string_view to_string(Side side) {
  switch (side) {
    case director:
      return "director";
    case real_server:
      return "real server";
    case both:
      return "both";
  }
  return "";
}

}  // namespace penstock::doctor
