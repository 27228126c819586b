#include "agent/netlink.hpp"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <array>

#include "netlink/message.hpp"

namespace penstock::agent {
namespace {

using netlink::address_of;
using netlink::Attributes;
using netlink::bytes_of;
using netlink::family_of;
using netlink::header_of;

std::uint8_t whole(const model::Address& address) { return static_cast<std::uint8_t>(bytes_of(address).size() * 8); }

struct Request {
  std::array<char, 512> buffer{};
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());

  template <typename Header>
  Header& start(int type, int flags) {
    message->nlmsg_type = static_cast<std::uint16_t>(type);
    message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    return *static_cast<Header*>(mnl_nlmsg_put_extra_header(message, sizeof(Header)));
  }
  void put(std::uint16_t type, const model::Address& address) {
    mnl_attr_put(message, type, bytes_of(address).size(), bytes_of(address).data());
  }
  void put(std::uint16_t type, std::uint32_t number) { mnl_attr_put_u32(message, type, number); }
};

LinkRow link_in(const nlmsghdr* message) {
  const auto* header = header_of<ifinfomsg>(message);
  if (header == nullptr) return {};
  const auto attributes = Attributes::of<ifinfomsg>(message);
  return {.index = static_cast<std::uint32_t>(header->ifi_index),
          .name = attributes.text(IFLA_IFNAME),
          .kind = attributes.nested(IFLA_LINKINFO).text(IFLA_INFO_KIND),
          .is_up = (header->ifi_flags & IFF_UP) != 0,
          .is_ethernet = header->ifi_type == ARPHRD_ETHER,
          .is_enslaved = attributes.has(IFLA_MASTER)};
}

void fill_host_route(Request& request, int type, int flags, const model::Address& address, std::uint32_t interface) {
  auto& header = request.start<rtmsg>(type, flags);
  header.rtm_family = family_of(address);
  header.rtm_dst_len = whole(address);
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_scope = type == RTM_NEWROUTE ? RT_SCOPE_LINK : RT_SCOPE_NOWHERE;  // to delete: any
  header.rtm_protocol = type == RTM_NEWROUTE ? RTPROT_STATIC : RTPROT_UNSPEC;
  header.rtm_type = RTN_UNICAST;
  request.put(RTA_DST, address);
  request.put(RTA_OIF, interface);
}

void fill_address(Request& request, int type, int flags, const model::Address& address, std::uint32_t interface) {
  auto& header = request.start<ifaddrmsg>(type, flags);
  header.ifa_family = family_of(address);
  header.ifa_prefixlen = whole(address);
  header.ifa_flags = address.family == model::Family::ipv6 ? IFA_F_NODAD : 0;
  header.ifa_scope = RT_SCOPE_UNIVERSE;
  header.ifa_index = interface;
  request.put(IFA_LOCAL, address);
  request.put(IFA_ADDRESS, address);
}

}  // namespace

Result<Netlink> Netlink::open() {
  auto socket = netlink::Socket::open();
  if (!socket) return fail(std::move(socket.error()));
  return Netlink(std::move(*socket));
}

Result<std::vector<LinkRow>> Netlink::links() {
  Request request;
  request.start<ifinfomsg>(RTM_GETLINK, NLM_F_DUMP);
  std::vector<LinkRow> rows;
  auto asked = socket_.ask(request.message, [&](const nlmsghdr* message) { rows.push_back(link_in(message)); });
  if (!asked) return with_context("listing interfaces", std::move(asked.error()));
  return rows;
}

Result<std::vector<AddressRow>> Netlink::addresses() {
  Request request;
  request.start<ifaddrmsg>(RTM_GETADDR, NLM_F_DUMP);
  std::vector<AddressRow> rows;
  auto asked = socket_.ask(request.message, [&](const nlmsghdr* message) {
    const auto* header = header_of<ifaddrmsg>(message);
    if (header == nullptr) return;
    const auto attributes = Attributes::of<ifaddrmsg>(message);
    const auto address = netlink::own_address_of(header->ifa_family, attributes);
    if (address)
      rows.push_back({.interface = header->ifa_index,
                      .address = *address,
                      .prefix_length = header->ifa_prefixlen,
                      .label = attributes.text(IFA_LABEL)});
  });
  if (!asked) return with_context("listing addresses", std::move(asked.error()));
  return rows;
}

Result<bool> Netlink::has_clsact(std::uint32_t interface) {
  Request request;
  request.start<tcmsg>(RTM_GETQDISC, NLM_F_DUMP);
  bool found = false;
  auto asked = socket_.ask(request.message, [&](const nlmsghdr* message) {
    const auto* header = header_of<tcmsg>(message);
    const bool is_here = header != nullptr && static_cast<std::uint32_t>(header->tcm_ifindex) == interface;
    found = found || (is_here && Attributes::of<tcmsg>(message).text(TCA_KIND) == "clsact");
  });
  if (!asked) return with_context("listing queueing disciplines", std::move(asked.error()));
  return found;
}

Result<std::uint32_t> Netlink::count_filters(std::uint32_t interface, Side side) {
  Request request;
  auto& header = request.start<tcmsg>(RTM_GETTFILTER, NLM_F_DUMP);
  header.tcm_ifindex = static_cast<int>(interface);
  header.tcm_parent = TC_H_MAKE(TC_H_CLSACT, side == Side::in ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
  std::uint32_t count = 0;
  auto asked =
      socket_.ask(request.message, [&](const nlmsghdr* message) { count += message->nlmsg_type == RTM_NEWTFILTER; });
  if (!asked) return with_context("listing filters", std::move(asked.error()));
  return count;
}

Result<bool> Netlink::has_host_route(const model::Address& address, std::uint32_t interface) {
  Request request;
  auto& asked_for = request.start<rtmsg>(RTM_GETROUTE, NLM_F_DUMP);
  asked_for.rtm_family = family_of(address);
  bool found = false;
  auto asked = socket_.ask(request.message, [&](const nlmsghdr* message) {
    const auto* header = header_of<rtmsg>(message);
    if (header == nullptr || header->rtm_table != RT_TABLE_MAIN || header->rtm_dst_len != whole(address)) return;
    const auto attributes = Attributes::of<rtmsg>(message);
    const bool is_here = attributes.number(RTA_OIF) == interface;
    found = found || (is_here && address_of(header->rtm_family, attributes.bytes(RTA_DST)) == address);
  });
  if (!asked) return with_context("listing routes", std::move(asked.error()));
  return found;
}

Result<void> Netlink::add_host_route(const model::Address& address, std::uint32_t interface) {
  Request request;
  fill_host_route(request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, address, interface);
  return socket_.ask(request.message);
}

Result<void> Netlink::delete_host_route(const model::Address& address, std::uint32_t interface) {
  Request request;
  fill_host_route(request, RTM_DELROUTE, 0, address, interface);
  return socket_.ask(request.message);
}

Result<void> Netlink::add_address(const model::Address& address, std::uint32_t interface, const std::string& label) {
  Request request;
  fill_address(request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address, interface);
  if (address.family == model::Family::ipv4) mnl_attr_put_strz(request.message, IFA_LABEL, label.c_str());
  return socket_.ask(request.message);
}

Result<void> Netlink::delete_address(const model::Address& address, std::uint32_t interface) {
  Request request;
  fill_address(request, RTM_DELADDR, 0, address, interface);
  return socket_.ask(request.message);
}

}  // namespace penstock::agent
