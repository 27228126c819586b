#include "doctor/look/rtnetlink.hpp"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "netlink/message.hpp"

namespace penstock::doctor {
namespace {

using netlink::address_of;
using netlink::Attributes;
using netlink::Bytes;
using netlink::header_of;
using netlink::mac_of;

XdpMode xdp_mode(std::uint8_t attached) {
  switch (attached) {
    case XDP_ATTACHED_NONE:
      return XdpMode::none;
    case XDP_ATTACHED_SKB:
      return XdpMode::generic;
    case XDP_ATTACHED_HW:
      return XdpMode::offloaded;
    default:  // the driver's, alone or among several
      return XdpMode::native;
  }
}

Interface interface_in(const nlmsghdr* message) {
  const auto* header = header_of<ifinfomsg>(message);
  if (header == nullptr) return {};
  const auto attributes = Attributes::of<ifinfomsg>(message);
  const std::string kind = attributes.nested(IFLA_LINKINFO).text(IFLA_INFO_KIND);
  const auto mac = mac_of(attributes.bytes(IFLA_ADDRESS));
  const bool is_below_here = kind == "vlan" && !attributes.has(IFLA_LINK_NETNSID);
  return {.index = static_cast<std::uint32_t>(header->ifi_index),
          .name = attributes.text(IFLA_IFNAME),
          .kind = kind,
          .is_up = (header->ifi_flags & IFF_UP) != 0,
          .has_carrier = (header->ifi_flags & IFF_RUNNING) != 0,
          .is_loopback = (header->ifi_flags & IFF_LOOPBACK) != 0,
          .is_ethernet = header->ifi_type == ARPHRD_ETHER && mac,
          .asks_neighbours = (header->ifi_flags & (IFF_NOARP | IFF_LOOPBACK)) == 0 && mac,
          .parent = is_below_here ? attributes.number(IFLA_LINK) : 0,
          .mtu = attributes.number(IFLA_MTU),
          .mac = mac.value_or(Mac{}),
          .xdp = xdp_mode(attributes.nested(IFLA_XDP).number<std::uint8_t>(IFLA_XDP_ATTACHED))};
}

std::optional<OwnAddress> address_in(const nlmsghdr* message) {
  const auto* header = header_of<ifaddrmsg>(message);
  if (header == nullptr) return {};
  const auto attributes = Attributes::of<ifaddrmsg>(message);
  const auto address = netlink::own_address_of(header->ifa_family, attributes);
  if (!address) return std::nullopt;
  const std::uint32_t flags = attributes.number(IFA_FLAGS, std::uint32_t{header->ifa_flags});
  return OwnAddress{.interface = header->ifa_index,
                    .address = *address,
                    .prefix_length = header->ifa_prefixlen,
                    .is_duplicate = (flags & IFA_F_DADFAILED) != 0};
}

std::optional<Neighbour> neighbour_in(const nlmsghdr* message) {
  constexpr unsigned usable = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;
  const auto* header = header_of<ndmsg>(message);
  if (header == nullptr) return {};
  const auto attributes = Attributes::of<ndmsg>(message);
  const auto address = address_of(header->ndm_family, attributes.bytes(NDA_DST));
  if (!address) return std::nullopt;  // a bridge's forwarding entry
  Neighbour neighbour{.interface = static_cast<std::uint32_t>(header->ndm_ifindex), .address = *address};
  neighbour.is_permanent = (header->ndm_state & (NUD_PERMANENT | NUD_NOARP)) != 0;
  if ((header->ndm_state & usable) != 0) neighbour.mac = mac_of(attributes.bytes(NDA_LLADDR));
  return neighbour;
}

void read_way(const nlmsghdr* message, Way& way) {
  const auto* header = header_of<rtmsg>(message);
  if (header == nullptr) return;
  const auto attributes = Attributes::of<rtmsg>(message);
  const auto metrics = attributes.nested(RTA_METRICS);
  if (header->rtm_type == RTN_LOCAL) way.kind = Way::Kind::local;
  if (header->rtm_type != RTN_UNICAST) return;
  way.kind = Way::Kind::unicast;
  way.interface = attributes.number(RTA_OIF);
  way.gateway = netlink::gateway_of(header->rtm_family, attributes);
  way.mtu = metrics.number(RTAX_MTU);
  way.advertised_mss = metrics.number(RTAX_ADVMSS);
}

// What the kernel would answer a sender when there is no way.
bool means_no_way(int problem) {
  constexpr std::array refusals = {ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, EAGAIN};
  return std::ranges::find(refusals, problem) != refusals.end();
}

class Question {
 public:
  Question(std::uint16_t type, std::uint16_t flags) {
    message_->nlmsg_type = type;
    message_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  }
  template <typename Header>
  Header* header() {
    return static_cast<Header*>(mnl_nlmsg_put_extra_header(message_, sizeof(Header)));
  }
  void put(std::uint16_t type, Bytes bytes) { mnl_attr_put(message_, type, bytes.size(), bytes.data()); }
  [[nodiscard]] nlmsghdr* message() { return message_; }

 private:
  alignas(nlmsghdr) std::array<char, 256> buffer_{};
  nlmsghdr* message_ = mnl_nlmsg_put_header(buffer_.data());
};

}  // namespace

Result<Rtnetlink> Rtnetlink::open() {
  auto socket = netlink::Socket::open();
  if (!socket) return fail(std::move(socket.error()));
  return Rtnetlink(std::move(*socket));
}

Result<std::vector<Interface>> Rtnetlink::interfaces() {
  Question question(RTM_GETLINK, NLM_F_DUMP);
  question.header<ifinfomsg>();
  std::vector<Interface> found;
  auto asked =
      socket_.ask(question.message(), [&](const nlmsghdr* message) { found.push_back(interface_in(message)); });
  if (!asked) return with_context("listing interfaces", std::move(asked.error()));
  return found;
}

Result<std::vector<OwnAddress>> Rtnetlink::addresses() {
  Question question(RTM_GETADDR, NLM_F_DUMP);
  question.header<ifaddrmsg>();
  std::vector<OwnAddress> found;
  auto asked = socket_.ask(question.message(), [&](const nlmsghdr* message) {
    if (const auto address = address_in(message)) found.push_back(*address);
  });
  if (!asked) return with_context("listing addresses", std::move(asked.error()));
  return found;
}

Result<std::vector<Neighbour>> Rtnetlink::neighbours() {
  Question question(RTM_GETNEIGH, NLM_F_DUMP);
  question.header<ndmsg>();
  std::vector<Neighbour> found;
  auto asked = socket_.ask(question.message(), [&](const nlmsghdr* message) {
    if (const auto neighbour = neighbour_in(message)) found.push_back(*neighbour);
  });
  if (!asked) return with_context("listing neighbours", std::move(asked.error()));
  return found;
}

Result<Way> Rtnetlink::way_to(const model::Address& address) {
  const Bytes bytes = netlink::bytes_of(address);
  Question question(RTM_GETROUTE, 0);
  auto* header = question.header<rtmsg>();
  header->rtm_family = netlink::family_of(address);
  header->rtm_dst_len = static_cast<std::uint8_t>(bytes.size() * 8);
  question.put(RTA_DST, bytes);
  Way way{.to = address};
  auto asked = socket_.ask(question.message(), [&](const nlmsghdr* message) { read_way(message, way); });
  if (asked || means_no_way(asked.error().errno_value)) return way;
  return with_context("finding the route to " + to_string(address), std::move(asked.error()));
}

Result<std::vector<std::string>> Rtnetlink::filters(std::uint32_t interface, Direction direction) {
  Question question(RTM_GETTFILTER, NLM_F_DUMP);
  auto* header = question.header<tcmsg>();
  header->tcm_ifindex = static_cast<int>(interface);
  header->tcm_parent = TC_H_MAKE(TC_H_CLSACT, direction == Direction::in ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
  std::vector<std::string> found;
  auto asked = socket_.ask(question.message(), [&](const nlmsghdr* message) {
    const auto attributes = Attributes::of<tcmsg>(message);
    if (attributes.text(TCA_KIND) != "bpf") return;
    const std::string name = attributes.nested(TCA_OPTIONS).text(TCA_BPF_NAME);
    if (!name.empty()) found.push_back(name);
  });
  if (!asked) return with_context("listing filters", std::move(asked.error()));
  return found;
}

}  // namespace penstock::doctor
