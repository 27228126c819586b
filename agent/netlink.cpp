#include "agent/netlink.hpp"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <span>

namespace penstock::agent {
namespace {

constexpr std::size_t receive_bytes = 64 * 1024;  // the kernel fills dumps to at most 32 KiB
constexpr int interrupted_dumps_max = 10;
constexpr std::size_t attribute_types = 64;  // all that are asked for are below

int hand_over(const nlmsghdr* message, void* each) {
  (*static_cast<const std::function<void(const nlmsghdr*)>*>(each))(message);
  return MNL_CB_OK;
}

class Attributes {
 public:
  template <typename Header>
  static Attributes of(const nlmsghdr* message, const Header&) {
    Attributes attributes;
    mnl_attr_parse(message, sizeof(Header), keep, &attributes);
    return attributes;
  }
  static Attributes in(const nlattr* outer) {
    Attributes attributes;
    if (outer != nullptr) mnl_attr_parse_nested(outer, keep, &attributes);
    return attributes;
  }
  [[nodiscard]] const nlattr* operator[](std::size_t type) const { return found_[type]; }
  [[nodiscard]] std::string text(std::size_t type) const {
    return found_[type] != nullptr ? mnl_attr_get_str(found_[type]) : "";
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
const Header& header_of(const nlmsghdr* message) {
  return *static_cast<const Header*>(mnl_nlmsg_get_payload(message));
}

std::span<const std::uint8_t> bytes_of(const model::Address& address) {
  return std::span(address.bytes).first(address.family == model::Family::ipv4 ? 4 : 16);
}
std::uint8_t family_of(const model::Address& address) {
  return address.family == model::Family::ipv4 ? AF_INET : AF_INET6;
}
std::uint8_t whole(const model::Address& address) { return static_cast<std::uint8_t>(bytes_of(address).size() * 8); }

std::optional<model::Address> address_in(int family, const nlattr* attribute) {
  const std::size_t length = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
  if (length == 0 || attribute == nullptr || mnl_attr_get_payload_len(attribute) != length) return std::nullopt;
  model::Address address{.family = family == AF_INET ? model::Family::ipv4 : model::Family::ipv6, .bytes = {}};
  std::copy_n(static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute)), length, address.bytes.begin());
  return address;
}

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
  const auto& header = header_of<ifinfomsg>(message);
  const auto attributes = Attributes::of(message, header);
  return {.index = static_cast<std::uint32_t>(header.ifi_index),
          .name = attributes.text(IFLA_IFNAME),
          .kind = Attributes::in(attributes[IFLA_LINKINFO]).text(IFLA_INFO_KIND),
          .is_up = (header.ifi_flags & IFF_UP) != 0,
          .is_ethernet = header.ifi_type == ARPHRD_ETHER,
          .is_enslaved = attributes[IFLA_MASTER] != nullptr};
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

void Netlink::Close::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

Result<Netlink> Netlink::open() {
  mnl_socket* socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (socket == nullptr) return fail_errno("opening a route netlink socket", errno);
  Netlink netlink(socket);
  if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) return fail_errno("binding a route netlink socket", errno);
  return netlink;
}

Result<void> Netlink::ask(nlmsghdr* request, const Each& each) {
  const bool is_dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  if (!is_dump) request->nlmsg_flags |= NLM_F_ACK;  // so that every answer has an end
  for (int attempt = 0;; ++attempt) {
    request->nlmsg_seq = ++sequence_;
    if (mnl_socket_sendto(socket_.get(), request, request->nlmsg_len) < 0) return fail_errno("asking rtnetlink", errno);
    std::vector<char> buffer(receive_bytes);
    int state = MNL_CB_OK;
    while (state == MNL_CB_OK) {
      const ssize_t length = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
      if (length < 0) return fail_errno("hearing from rtnetlink", errno);
      state = mnl_cb_run(buffer.data(), static_cast<std::size_t>(length), sequence_,
                         mnl_socket_get_portid(socket_.get()), hand_over, const_cast<Each*>(&each));
    }
    if (state == MNL_CB_STOP) return {};
    // A dump that something changed under is asked for again; its messages so far are true.
    if (errno == EINTR && is_dump && attempt < interrupted_dumps_max) continue;
    return fail_errno("rtnetlink", errno);
  }
}

Result<std::vector<LinkRow>> Netlink::links() {
  Request request;
  request.start<ifinfomsg>(RTM_GETLINK, NLM_F_DUMP);
  std::vector<LinkRow> rows;
  auto asked = ask(request.message, [&](const nlmsghdr* message) { rows.push_back(link_in(message)); });
  if (!asked) return with_context("listing interfaces", std::move(asked.error()));
  return rows;
}

Result<std::vector<AddressRow>> Netlink::addresses() {
  Request request;
  request.start<ifaddrmsg>(RTM_GETADDR, NLM_F_DUMP);
  std::vector<AddressRow> rows;
  auto asked = ask(request.message, [&](const nlmsghdr* message) {
    const auto& header = header_of<ifaddrmsg>(message);
    const auto attributes = Attributes::of(message, header);
    // Of a point-to-point link IFA_ADDRESS is the other end's.
    const nlattr* own = attributes[IFA_LOCAL] != nullptr ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
    const auto address = address_in(header.ifa_family, own);
    if (address)
      rows.push_back({.interface = header.ifa_index,
                      .address = *address,
                      .prefix_length = header.ifa_prefixlen,
                      .label = attributes.text(IFA_LABEL)});
  });
  if (!asked) return with_context("listing addresses", std::move(asked.error()));
  return rows;
}

Result<bool> Netlink::has_clsact(std::uint32_t interface) {
  Request request;
  request.start<tcmsg>(RTM_GETQDISC, NLM_F_DUMP);
  bool found = false;
  auto asked = ask(request.message, [&](const nlmsghdr* message) {
    const auto& header = header_of<tcmsg>(message);
    const bool is_here = static_cast<std::uint32_t>(header.tcm_ifindex) == interface;
    found = found || (is_here && Attributes::of(message, header).text(TCA_KIND) == "clsact");
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
  auto asked = ask(request.message, [&](const nlmsghdr* message) { count += message->nlmsg_type == RTM_NEWTFILTER; });
  if (!asked) return with_context("listing filters", std::move(asked.error()));
  return count;
}

Result<bool> Netlink::has_host_route(const model::Address& address, std::uint32_t interface) {
  Request request;
  auto& asked_for = request.start<rtmsg>(RTM_GETROUTE, NLM_F_DUMP);
  asked_for.rtm_family = family_of(address);
  bool found = false;
  auto asked = ask(request.message, [&](const nlmsghdr* message) {
    const auto& header = header_of<rtmsg>(message);
    if (header.rtm_table != RT_TABLE_MAIN || header.rtm_dst_len != whole(address)) return;
    const auto attributes = Attributes::of(message, header);
    const bool is_here = attributes[RTA_OIF] != nullptr && mnl_attr_get_u32(attributes[RTA_OIF]) == interface;
    found = found || (is_here && address_in(header.rtm_family, attributes[RTA_DST]) == address);
  });
  if (!asked) return with_context("listing routes", std::move(asked.error()));
  return found;
}

Result<void> Netlink::add_host_route(const model::Address& address, std::uint32_t interface) {
  Request request;
  fill_host_route(request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, address, interface);
  return ask(request.message);
}

Result<void> Netlink::delete_host_route(const model::Address& address, std::uint32_t interface) {
  Request request;
  fill_host_route(request, RTM_DELROUTE, 0, address, interface);
  return ask(request.message);
}

Result<void> Netlink::add_address(const model::Address& address, std::uint32_t interface, const std::string& label) {
  Request request;
  fill_address(request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address, interface);
  if (address.family == model::Family::ipv4) mnl_attr_put_strz(request.message, IFA_LABEL, label.c_str());
  return ask(request.message);
}

Result<void> Netlink::delete_address(const model::Address& address, std::uint32_t interface) {
  Request request;
  fill_address(request, RTM_DELADDR, 0, address, interface);
  return ask(request.message);
}

}  // namespace penstock::agent
