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

namespace penstock::control {
namespace {

// Attributes of one level, by type. Later kernels have more types; those that are asked for here are all below the bound.
constexpr std::size_t attribute_types = 64;

class Attributes {
 public:
  static Attributes of_message(const nlmsghdr* message, std::size_t header_bytes) {
    Attributes attributes;
    mnl_attr_parse(message, static_cast<unsigned>(header_bytes), keep, &attributes);
    return attributes;
  }
  static Attributes nested_in(const nlattr* outer) {
    Attributes attributes;
    if (outer != nullptr) mnl_attr_parse_nested(outer, keep, &attributes);
    return attributes;
  }

  [[nodiscard]] const nlattr* operator[](std::size_t type) const { return found_[type]; }
  [[nodiscard]] std::span<const u8> bytes(std::size_t type) const {
    if (found_[type] == nullptr) return {};
    return {static_cast<const u8*>(mnl_attr_get_payload(found_[type])), mnl_attr_get_payload_len(found_[type])};
  }
  template <typename Number = u32>
  [[nodiscard]] Number number(std::size_t type) const {
    const auto value = bytes(type);
    Number result = 0;
    if (value.size() == sizeof result) std::memcpy(&result, value.data(), sizeof result);
    return result;
  }
  [[nodiscard]] std::string text(std::size_t type) const {
    const auto value = bytes(type);
    return {reinterpret_cast<const char*>(value.data()),
            strnlen(reinterpret_cast<const char*>(value.data()), value.size())};
  }

 private:
  static int keep(const nlattr* attribute, void* self) {
    const std::size_t type = mnl_attr_get_type(attribute);
    if (type < attribute_types) static_cast<Attributes*>(self)->found_[type] = attribute;
    return MNL_CB_OK;
  }

  std::array<const nlattr*, attribute_types> found_{};
};

template <typename Header>
const Header* header_of(const nlmsghdr* message) {
  if (mnl_nlmsg_get_payload_len(message) < sizeof(Header)) return nullptr;
  return static_cast<const Header*>(mnl_nlmsg_get_payload(message));
}

std::optional<model::Address> address_of(unsigned family, std::span<const u8> bytes) {
  const std::size_t length = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
  if (length == 0 || bytes.size() != length) return std::nullopt;
  model::Address address;
  address.family = family == AF_INET ? model::Family::ipv4 : model::Family::ipv6;
  std::ranges::copy(bytes, address.bytes.begin());
  return address;
}

std::span<const u8> bytes_of(const model::Address& address) {
  return std::span(address.bytes).first(address.family == model::Family::ipv4 ? 4 : 16);
}

u8 family_of(const model::Address& address) { return address.family == model::Family::ipv4 ? AF_INET : AF_INET6; }

std::optional<Mac> mac_of(std::span<const u8> bytes) {
  Mac mac{};
  if (bytes.size() != mac.size()) return std::nullopt;
  std::ranges::copy(bytes, mac.begin());
  return mac;
}

const Route refused{.gateway = {}, .source = {}};

std::optional<model::Address> gateway_of(const Attributes& attributes, unsigned family) {
  if (attributes[RTA_GATEWAY] != nullptr) return address_of(family, attributes.bytes(RTA_GATEWAY));
  // A gateway of the other family: struct rtvia.
  const auto via = attributes.bytes(RTA_VIA);
  u16 via_family = 0;
  if (via.size() < sizeof via_family) return std::nullopt;
  std::memcpy(&via_family, via.data(), sizeof via_family);
  return address_of(via_family, via.subspan(sizeof via_family));
}

std::optional<VlanDevice> vlan_of(const Attributes& link, const Attributes& info) {
  if (info.text(IFLA_INFO_KIND) != "vlan") return std::nullopt;
  const auto data = Attributes::nested_in(info[IFLA_INFO_DATA]);
  const bool is_elsewhere = link[IFLA_LINK_NETNSID] != nullptr;
  const u16 protocol = data.number<u16>(IFLA_VLAN_PROTOCOL);
  return VlanDevice{.parent = is_elsewhere ? 0 : link.number(IFLA_LINK),
                    .number = data.number<u16>(IFLA_VLAN_ID),
                    .is_8021q = protocol == 0 || ntohs(protocol) == ETH_P_8021Q};
}

// Scope and flags of an address that the machine may send from.
bool is_global(const ifaddrmsg& header, const Attributes& attributes) {
  constexpr u32 unfit = IFA_F_TENTATIVE | IFA_F_DADFAILED;
  const u32 flags = attributes[IFA_FLAGS] != nullptr ? attributes.number(IFA_FLAGS) : header.ifa_flags;
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
  const auto attributes = Attributes::of_message(message, sizeof *header);
  const auto info = Attributes::nested_in(attributes[IFLA_LINKINFO]);
  const auto mac = mac_of(attributes.bytes(IFLA_ADDRESS));
  return LinkEvent{.removed = message->nlmsg_type == RTM_DELLINK,
                   .link = {.index = static_cast<u32>(header->ifi_index),
                            .name = attributes.text(IFLA_IFNAME),
                            .kind = info.text(IFLA_INFO_KIND),
                            .is_up = (header->ifi_flags & IFF_UP) != 0,
                            .is_ethernet = header->ifi_type == ARPHRD_ETHER && mac,
                            .is_loopback = (header->ifi_flags & IFF_LOOPBACK) != 0,
                            .is_enslaved = attributes[IFLA_MASTER] != nullptr,
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
  const auto attributes = Attributes::of_message(message, sizeof *header);
  // Of a point-to-point link IFA_ADDRESS is the other end's.
  const auto address =
      address_of(header->ifa_family, attributes.bytes(attributes[IFA_LOCAL] != nullptr ? IFA_LOCAL : IFA_ADDRESS));
  if (!address) return std::nullopt;
  return AddressEvent{
      .removed = message->nlmsg_type == RTM_DELADDR,
      .own = {.interface = header->ifa_index, .address = *address, .is_global = is_global(*header, attributes)}};
}

std::optional<NeighbourEvent> parse_neighbour(const nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWNEIGH && message->nlmsg_type != RTM_DELNEIGH) return std::nullopt;
  const auto* header = header_of<ndmsg>(message);
  if (header == nullptr) return std::nullopt;
  const auto attributes = Attributes::of_message(message, sizeof *header);
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
  const auto attributes = Attributes::of_message(message, sizeof *header);
  const auto metrics = Attributes::nested_in(attributes[RTA_METRICS]);
  return Route{.kind = Route::Kind::unicast,
               .interface = attributes.number(RTA_OIF),
               .gateway = gateway_of(attributes, header->rtm_family),
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

Result<std::vector<Link>> list_links(Netlink& netlink) {
  Request request;
  request.start<ifinfomsg>(RTM_GETLINK, NLM_F_DUMP);
  std::vector<Link> links;
  auto asked = netlink.ask(request.message, [&](const nlmsghdr* message) {
    if (auto event = parse_link(message)) links.push_back(std::move(event->link));
  });
  if (!asked) return with_context("listing interfaces", asked.error());
  return links;
}

Result<std::vector<OwnAddress>> list_addresses(Netlink& netlink) {
  Request request;
  request.start<ifaddrmsg>(RTM_GETADDR, NLM_F_DUMP);
  std::vector<OwnAddress> addresses;
  auto asked = netlink.ask(request.message, [&](const nlmsghdr* message) {
    if (auto event = parse_own_address(message)) addresses.push_back(event->own);
  });
  if (!asked) return with_context("listing addresses", asked.error());
  return addresses;
}

Result<std::vector<Neighbour>> list_neighbours(Netlink& netlink) {
  Request request;
  request.start<ndmsg>(RTM_GETNEIGH, NLM_F_DUMP);
  std::vector<Neighbour> neighbours;
  auto asked = netlink.ask(request.message, [&](const nlmsghdr* message) {
    if (auto event = parse_neighbour(message)) neighbours.push_back(event->neighbour);
  });
  if (!asked) return with_context("listing neighbours", asked.error());
  return neighbours;
}

Result<Route> find_route(Netlink& netlink, const model::Address& address) {
  Request request;
  auto* header = request.start<rtmsg>(RTM_GETROUTE, 0);
  header->rtm_family = family_of(address);
  header->rtm_dst_len = static_cast<u8>(bytes_of(address).size() * 8);
  request.put(RTA_DST, bytes_of(address));
  Route route = refused;
  auto asked = netlink.ask(request.message, [&](const nlmsghdr* message) {
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

Result<void> manage_neighbour(Netlink& netlink, u32 interface, const model::Address& address, bool managed) {
  Request request;
  auto* header = request.start<ndmsg>(RTM_NEWNEIGH, managed ? NLM_F_CREATE | NLM_F_REPLACE : NLM_F_REPLACE);
  header->ndm_family = family_of(address);
  header->ndm_ifindex = static_cast<int>(interface);
  header->ndm_state = NUD_NONE;
  // Without NTF_EXT_MANAGED the kernel clears it; NTF_USE makes the rest of the request harmless.
  header->ndm_flags = managed ? 0 : NTF_USE;
  request.put(NDA_DST, bytes_of(address));
  if (managed) mnl_attr_put_u32(request.message, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
  auto asked = netlink.ask(request.message);
  if (!asked) return with_context("resolving neighbour " + model::to_string(address), asked.error());
  return {};
}

}  // namespace penstock::control
