#include "control/rtnetlink.hpp"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "control/permission.hpp"
#include "netlink/message.hpp"

namespace penstock::control {
namespace {

using netlink::address_of;
using netlink::Attributes;
using netlink::bytes_of;
using netlink::family_of;
using netlink::header_of;
using netlink::mac_of;

const Route refused{.gateway = {}, .source = {}};

std::optional<VlanDevice> vlan_of(const Attributes& link, const Attributes& info) {
  if (info.text(IFLA_INFO_KIND) != "vlan") return std::nullopt;
  const auto data = info.nested(IFLA_INFO_DATA);
  const bool is_elsewhere = link.has(IFLA_LINK_NETNSID);
  const u16 protocol = data.number<u16>(IFLA_VLAN_PROTOCOL);
  return VlanDevice{.parent = is_elsewhere ? 0 : link.number(IFLA_LINK),
                    .number = data.number<u16>(IFLA_VLAN_ID),
                    .is_8021q = protocol == 0 || ntohs(protocol) == ETH_P_8021Q};
}

// Scope and flags of an address that the machine may send from.
bool is_global(const ifaddrmsg& header, const Attributes& attributes) {
  constexpr u32 unfit = IFA_F_TENTATIVE | IFA_F_DADFAILED;
  const u32 flags = attributes.number(IFA_FLAGS, u32{header.ifa_flags});
  return header.ifa_scope == RT_SCOPE_UNIVERSE && (flags & unfit) == 0;
}

// A request with room for every attribute that is put here.
struct Request {
  std::array<char, 512> buffer{};
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());

  template <typename Header>
  Header* start(u16 type, u16 flags) {
    message->nlmsg_type = type;
    message->nlmsg_flags = flags;
    return static_cast<Header*>(mnl_nlmsg_put_extra_header(message, sizeof(Header)));
  }
  void put(u16 type, std::span<const u8> bytes) { mnl_attr_put(message, type, bytes.size(), bytes.data()); }
};

}  // namespace

std::optional<LinkEvent> parse_link(const nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK) return std::nullopt;
  const auto* header = header_of<ifinfomsg>(message);
  // Of family AF_BRIDGE: about a port of a bridge, not the link.
  if (header == nullptr || header->ifi_family != AF_UNSPEC) return std::nullopt;
  const auto attributes = Attributes::of<ifinfomsg>(message);
  const auto info = attributes.nested(IFLA_LINKINFO);
  const auto mac = mac_of(attributes.bytes(IFLA_ADDRESS));
  return LinkEvent{.removed = message->nlmsg_type == RTM_DELLINK,
                   .link = {.index = static_cast<u32>(header->ifi_index),
                            .name = attributes.text(IFLA_IFNAME),
                            .kind = info.text(IFLA_INFO_KIND),
                            .is_up = (header->ifi_flags & IFF_UP) != 0,
                            .is_ethernet = header->ifi_type == ARPHRD_ETHER && mac,
                            .is_loopback = (header->ifi_flags & IFF_LOOPBACK) != 0,
                            .is_enslaved = attributes.has(IFLA_MASTER),
                            .mtu = attributes.number(IFLA_MTU),
                            .mac = mac.value_or(Mac{}),
                            .vlan = vlan_of(attributes, info),
                            .ipv4 = std::nullopt,
                            .ipv6 = std::nullopt}};
}

std::optional<AddressEvent> parse_own_address(const nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWADDR && message->nlmsg_type != RTM_DELADDR) return std::nullopt;
  const auto* header = header_of<ifaddrmsg>(message);
  if (header == nullptr) return std::nullopt;
  const auto attributes = Attributes::of<ifaddrmsg>(message);
  const auto address = netlink::own_address_of(header->ifa_family, attributes);
  if (!address) return std::nullopt;
  return AddressEvent{
      .removed = message->nlmsg_type == RTM_DELADDR,
      .own = {.interface = header->ifa_index, .address = *address, .is_global = is_global(*header, attributes)}};
}

std::optional<NeighbourEvent> parse_neighbour(const nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWNEIGH && message->nlmsg_type != RTM_DELNEIGH) return std::nullopt;
  const auto* header = header_of<ndmsg>(message);
  if (header == nullptr) return std::nullopt;
  const auto attributes = Attributes::of<ndmsg>(message);
  const auto address = address_of(header->ndm_family, attributes.bytes(NDA_DST));
  if (!address) return std::nullopt;  // a bridge's forwarding entry
  return NeighbourEvent{.removed = message->nlmsg_type == RTM_DELNEIGH,
                        .neighbour = {.interface = static_cast<u32>(header->ndm_ifindex),
                                      .address = *address,
                                      .state = header->ndm_state,
                                      .mac = mac_of(attributes.bytes(NDA_LLADDR))}};
}

std::optional<Route> parse_route(const nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWROUTE) return std::nullopt;
  const auto* header = header_of<rtmsg>(message);
  if (header == nullptr) return std::nullopt;
  if (header->rtm_type == RTN_LOCAL) return Route{.kind = Route::Kind::local, .gateway = {}, .source = {}};
  if (header->rtm_type != RTN_UNICAST) return refused;
  const auto attributes = Attributes::of<rtmsg>(message);
  const auto metrics = attributes.nested(RTA_METRICS);
  return Route{.kind = Route::Kind::unicast,
               .interface = attributes.number(RTA_OIF),
               .gateway = netlink::gateway_of(header->rtm_family, attributes),
               .source = address_of(header->rtm_family, attributes.bytes(RTA_PREFSRC)),
               .mtu = metrics.number(RTAX_MTU)};
}

bool changes_routes(const nlmsghdr* message) {
  switch (message->nlmsg_type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_NEWRULE:
    case RTM_DELRULE:
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
      return true;
    default:
      return false;
  }
}

Result<std::vector<Link>> list_links(netlink::Socket& socket) {
  Request request;
  request.start<ifinfomsg>(RTM_GETLINK, NLM_F_DUMP);
  std::vector<Link> links;
  auto asked = socket.ask(request.message, [&](const nlmsghdr* message) {
    if (auto event = parse_link(message)) links.push_back(std::move(event->link));
  });
  if (!asked) return with_context("listing interfaces", asked.error());
  return links;
}

Result<std::vector<OwnAddress>> list_addresses(netlink::Socket& socket) {
  Request request;
  request.start<ifaddrmsg>(RTM_GETADDR, NLM_F_DUMP);
  std::vector<OwnAddress> addresses;
  auto asked = socket.ask(request.message, [&](const nlmsghdr* message) {
    if (auto event = parse_own_address(message)) addresses.push_back(event->own);
  });
  if (!asked) return with_context("listing addresses", asked.error());
  return addresses;
}

Result<std::vector<Neighbour>> list_neighbours(netlink::Socket& socket) {
  Request request;
  request.start<ndmsg>(RTM_GETNEIGH, NLM_F_DUMP);
  std::vector<Neighbour> neighbours;
  auto asked = socket.ask(request.message, [&](const nlmsghdr* message) {
    if (auto event = parse_neighbour(message)) neighbours.push_back(event->neighbour);
  });
  if (!asked) return with_context("listing neighbours", asked.error());
  return neighbours;
}

Result<Route> find_route(netlink::Socket& socket, const model::Address& address) {
  Request request;
  auto* header = request.start<rtmsg>(RTM_GETROUTE, 0);
  header->rtm_family = family_of(address);
  header->rtm_dst_len = static_cast<u8>(bytes_of(address).size() * 8);
  request.put(RTA_DST, bytes_of(address));
  Route route = refused;
  auto asked = socket.ask(request.message, [&](const nlmsghdr* message) {
    if (const auto answer = parse_route(message)) route = *answer;
  });
  if (asked) return route;
  // What the kernel would answer a sender: there is no way, which is an answer.
  switch (asked.error().errno_value) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EACCES:
    case EINVAL:
    case EAGAIN:
      return refused;
    default:
      return with_context("finding the route to " + model::to_string(address), asked.error());
  }
}

Result<void> manage_neighbour(netlink::Socket& socket, u32 interface, const model::Address& address, bool managed) {
  Request request;
  auto* header = request.start<ndmsg>(RTM_NEWNEIGH, managed ? NLM_F_CREATE | NLM_F_REPLACE : NLM_F_REPLACE);
  header->ndm_family = family_of(address);
  header->ndm_ifindex = static_cast<int>(interface);
  header->ndm_state = NUD_NONE;
  // Without NTF_EXT_MANAGED the kernel clears it; NTF_USE makes the rest of the request harmless.
  header->ndm_flags = managed ? 0 : NTF_USE;
  request.put(NDA_DST, bytes_of(address));
  if (managed) mnl_attr_put_u32(request.message, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
  auto asked = socket.ask(request.message);
  if (asked) return {};
  const bool is_privilege = asked.error().errno_value == EPERM;
  return with_context("resolving neighbour " + model::to_string(address),
                      is_privilege ? fail_privileged("rtnetlink", EPERM).value() : asked.error());
}

}  // namespace penstock::control
