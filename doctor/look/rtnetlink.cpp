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
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

namespace penstock::doctor {
namespace {

constexpr std::size_t receive_bytes = 64 * 1024;  // the kernel fills dumps to at most 32 KiB
constexpr int interrupted_dumps_max = 10;
constexpr std::size_t attribute_types = 64;  // those that are read here are all below it

using Bytes = std::span<const std::uint8_t>;
using EachMessage = std::function<void(const nlmsghdr*)>;

int hand_over(const nlmsghdr* message, void* each) {
  (*static_cast<EachMessage*>(each))(message);
  return MNL_CB_OK;
}

// Attributes of one level, by type.
class Attributes {
 public:
  template <typename Header>
  static Attributes after(const Header*, const nlmsghdr* message) {
    Attributes attributes;
    mnl_attr_parse(message, sizeof(Header), keep, &attributes);
    return attributes;
  }

  [[nodiscard]] bool has(std::size_t type) const { return found_[type] != nullptr; }
  [[nodiscard]] Attributes nested(std::size_t type) const {
    Attributes attributes;
    if (has(type)) mnl_attr_parse_nested(found_[type], keep, &attributes);
    return attributes;
  }
  [[nodiscard]] Bytes bytes(std::size_t type) const {
    if (!has(type)) return {};
    return {static_cast<const std::uint8_t*>(mnl_attr_get_payload(found_[type])),
            mnl_attr_get_payload_len(found_[type])};
  }
  template <typename Number = std::uint32_t>
  [[nodiscard]] Number number(std::size_t type, Number otherwise = 0) const {
    const Bytes value = bytes(type);
    if (value.size() == sizeof otherwise) std::memcpy(&otherwise, value.data(), sizeof otherwise);
    return otherwise;
  }
  [[nodiscard]] std::string text(std::size_t type) const {
    const Bytes value = bytes(type);
    const auto* begin = reinterpret_cast<const char*>(value.data());
    return value.empty() ? std::string() : std::string(begin, strnlen(begin, value.size()));
  }

 private:
  static int keep(const nlattr* attribute, void* self) {
    const std::size_t type = mnl_attr_get_type(attribute);
    if (type < attribute_types) static_cast<Attributes*>(self)->found_[type] = attribute;
    return MNL_CB_OK;
  }

  std::array<const nlattr*, attribute_types> found_{};
};

std::optional<model::Address> address_of(unsigned family, Bytes bytes) {
  const std::size_t length = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
  if (length == 0 || bytes.size() != length) return std::nullopt;
  model::Address address;
  address.family = family == AF_INET ? model::Family::ipv4 : model::Family::ipv6;
  std::ranges::copy(bytes, address.bytes.begin());
  return address;
}

std::optional<Mac> mac_of(Bytes bytes) {
  Mac mac{};
  if (bytes.size() != mac.size()) return std::nullopt;
  std::ranges::copy(bytes, mac.begin());
  return mac;
}

template <typename Header>
const Header* header_of(const nlmsghdr* message) {
  return static_cast<const Header*>(mnl_nlmsg_get_payload(message));
}

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
  const auto attributes = Attributes::after(header, message);
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
  const auto attributes = Attributes::after(header, message);
  // Of a point-to-point link IFA_ADDRESS is the other end's.
  const auto address =
      address_of(header->ifa_family, attributes.bytes(attributes.has(IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS));
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
  const auto attributes = Attributes::after(header, message);
  const auto address = address_of(header->ndm_family, attributes.bytes(NDA_DST));
  if (!address) return std::nullopt;  // a bridge's forwarding entry
  Neighbour neighbour{.interface = static_cast<std::uint32_t>(header->ndm_ifindex), .address = *address};
  neighbour.is_permanent = (header->ndm_state & (NUD_PERMANENT | NUD_NOARP)) != 0;
  if ((header->ndm_state & usable) != 0) neighbour.mac = mac_of(attributes.bytes(NDA_LLADDR));
  return neighbour;
}

std::optional<model::Address> gateway_in(const Attributes& attributes, unsigned family) {
  if (attributes.has(RTA_GATEWAY)) return address_of(family, attributes.bytes(RTA_GATEWAY));
  const Bytes via = attributes.bytes(RTA_VIA);  // struct rtvia: a gateway of the other family
  std::uint16_t via_family = 0;
  if (via.size() < sizeof via_family) return std::nullopt;
  std::memcpy(&via_family, via.data(), sizeof via_family);
  return address_of(via_family, via.subspan(sizeof via_family));
}

void read_way(const nlmsghdr* message, Way& way) {
  const auto* header = header_of<rtmsg>(message);
  const auto attributes = Attributes::after(header, message);
  const auto metrics = attributes.nested(RTA_METRICS);
  if (header->rtm_type == RTN_LOCAL) way.kind = Way::Kind::local;
  if (header->rtm_type != RTN_UNICAST) return;
  way.kind = Way::Kind::unicast;
  way.interface = attributes.number(RTA_OIF);
  way.gateway = gateway_in(attributes, header->rtm_family);
  way.mtu = metrics.number(RTAX_MTU);
  way.advertised_mss = metrics.number(RTAX_ADVMSS);
}

// What the kernel would answer a sender when there is no way.
bool means_no_way(int problem) {
  constexpr std::array refusals = {ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, EAGAIN};
  return std::ranges::find(refusals, problem) != refusals.end();
}

}  // namespace

class Rtnetlink::Question {
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

void Rtnetlink::Close::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

Result<Rtnetlink> Rtnetlink::open() {
  mnl_socket* socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (socket == nullptr) return fail_errno("opening a route netlink socket", errno);
  Rtnetlink opened(socket);
  if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) return fail_errno("binding a route netlink socket", errno);
  return opened;
}

template <typename Each>
Result<void> Rtnetlink::ask(Question& question, Each each) {
  EachMessage take = [&](const nlmsghdr* message) { each(message); };
  nlmsghdr* message = question.message();
  if ((message->nlmsg_flags & NLM_F_DUMP) == 0) message->nlmsg_flags |= NLM_F_ACK;  // so that every answer has an end
  for (int attempt = 0; attempt < interrupted_dumps_max; ++attempt) {
    message->nlmsg_seq = ++sequence_;
    if (mnl_socket_sendto(socket_.get(), message, message->nlmsg_len) < 0) return fail_errno("asking rtnetlink", errno);
    std::vector<char> buffer(receive_bytes);
    int state = MNL_CB_OK;
    while (state == MNL_CB_OK) {
      const ssize_t length = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
      if (length < 0 && errno == EINTR) continue;
      if (length < 0) return fail_errno("hearing from rtnetlink", errno);
      state = mnl_cb_run(buffer.data(), static_cast<std::size_t>(length), sequence_,
                         mnl_socket_get_portid(socket_.get()), hand_over, &take);
    }
    if (state == MNL_CB_STOP) return {};
    if (errno != EINTR) return fail_errno("rtnetlink", errno);  // EINTR: a dump that something changed under
  }
  return fail_errno("rtnetlink", EINTR);
}

Result<std::vector<Interface>> Rtnetlink::interfaces() {
  Question question(RTM_GETLINK, NLM_F_DUMP);
  question.header<ifinfomsg>();
  std::vector<Interface> found;
  auto asked = ask(question, [&](const nlmsghdr* message) { found.push_back(interface_in(message)); });
  if (!asked) return with_context("listing interfaces", std::move(asked.error()));
  return found;
}

Result<std::vector<OwnAddress>> Rtnetlink::addresses() {
  Question question(RTM_GETADDR, NLM_F_DUMP);
  question.header<ifaddrmsg>();
  std::vector<OwnAddress> found;
  auto asked = ask(question, [&](const nlmsghdr* message) {
    if (const auto address = address_in(message)) found.push_back(*address);
  });
  if (!asked) return with_context("listing addresses", std::move(asked.error()));
  return found;
}

Result<std::vector<Neighbour>> Rtnetlink::neighbours() {
  Question question(RTM_GETNEIGH, NLM_F_DUMP);
  question.header<ndmsg>();
  std::vector<Neighbour> found;
  auto asked = ask(question, [&](const nlmsghdr* message) {
    if (const auto neighbour = neighbour_in(message)) found.push_back(*neighbour);
  });
  if (!asked) return with_context("listing neighbours", std::move(asked.error()));
  return found;
}

Result<Way> Rtnetlink::way_to(const model::Address& address) {
  const bool is_ipv4 = address.family == model::Family::ipv4;
  const Bytes bytes = Bytes(address.bytes).first(is_ipv4 ? 4 : 16);
  Question question(RTM_GETROUTE, 0);
  auto* header = question.header<rtmsg>();
  header->rtm_family = is_ipv4 ? AF_INET : AF_INET6;
  header->rtm_dst_len = static_cast<std::uint8_t>(bytes.size() * 8);
  question.put(RTA_DST, bytes);
  Way way{.to = address};
  auto asked = ask(question, [&](const nlmsghdr* message) { read_way(message, way); });
  if (asked || means_no_way(asked.error().errno_value)) return way;
  return with_context("finding the route to " + to_string(address), std::move(asked.error()));
}

Result<std::vector<std::string>> Rtnetlink::filters(std::uint32_t interface, Direction direction) {
  Question question(RTM_GETTFILTER, NLM_F_DUMP);
  auto* header = question.header<tcmsg>();
  header->tcm_ifindex = static_cast<int>(interface);
  header->tcm_parent = TC_H_MAKE(TC_H_CLSACT, direction == Direction::in ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
  std::vector<std::string> found;
  auto asked = ask(question, [&](const nlmsghdr* message) {
    const auto attributes = Attributes::after(header_of<tcmsg>(message), message);
    if (attributes.text(TCA_KIND) != "bpf") return;
    const std::string name = attributes.nested(TCA_OPTIONS).text(TCA_BPF_NAME);
    if (!name.empty()) found.push_back(name);
  });
  if (!asked) return with_context("listing filters", std::move(asked.error()));
  return found;
}

}  // namespace penstock::doctor
