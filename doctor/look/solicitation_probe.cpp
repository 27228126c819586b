#include "doctor/look/solicitation_probe.hpp"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace penstock::doctor {
namespace {

constexpr int hop_limit = 255;  // RFC 4861 §7.1: with less it is not taken

// Type 1 in a solicitation, 2 in an advertisement; its length counts 8 bytes.
struct LinkLayerOption {
  nd_opt_hdr header;
  Mac mac;
};
static_assert(sizeof(LinkLayerOption) == 8);

struct Solicitation {
  nd_neighbor_solicit header;
  LinkLayerOption source;
};

// RFC 4291 §2.7.1
in6_addr solicited_node(const model::Address& address) {
  in6_addr group{};
  inet_pton(AF_INET6, "ff02::1:ff00:0", &group);
  std::copy_n(address.bytes.begin() + 13, 3, group.s6_addr + 13);
  return group;
}

Result<void> prepare(const Descriptor& socket, std::uint32_t interface) {
  icmp6_filter filter{};
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &filter);
  const int index = static_cast<int>(interface);
  const bool done = setsockopt(socket.fd(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) == 0 &&
                    setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hop_limit, sizeof hop_limit) == 0 &&
                    setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index) == 0 &&
                    setsockopt(socket.fd(), SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof index) == 0;
  if (!done) return fail_errno("preparing a socket for neighbour solicitations", errno);
  return {};
}

// The MAC address in an advertisement's options.
std::optional<Mac> mac_in(const std::uint8_t* options, std::size_t size) {
  while (size >= sizeof(LinkLayerOption)) {
    LinkLayerOption option{};
    std::memcpy(&option, options, sizeof option);
    const std::size_t length = option.header.nd_opt_len * std::size_t{8};
    if (option.header.nd_opt_type == ND_OPT_TARGET_LINKADDR && length == sizeof option) return option.mac;
    if (length == 0 || length > size) return std::nullopt;
    options += length;
    size -= length;
  }
  return std::nullopt;
}

}  // namespace

Result<SolicitationProbe> SolicitationProbe::open(std::uint32_t interface, const Mac& mac) {
  Descriptor socket(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6));
  if (!socket.is_open()) return fail_errno("opening a socket for neighbour solicitations", errno);
  if (auto prepared = prepare(socket, interface); !prepared) return fail(std::move(prepared.error()));
  return SolicitationProbe(std::move(socket), interface, mac);
}

Result<void> SolicitationProbe::ask(const model::Address& address) const {
  Solicitation question{};
  question.header.nd_ns_type = ND_NEIGHBOR_SOLICIT;
  std::ranges::copy(address.bytes, question.header.nd_ns_target.s6_addr);
  question.source = {.header = {.nd_opt_type = ND_OPT_SOURCE_LINKADDR, .nd_opt_len = 1}, .mac = mac_};
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_addr = solicited_node(address);
  to.sin6_scope_id = interface_;
  if (sendto(socket_.fd(), &question, sizeof question, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0)
    return fail_errno("soliciting " + to_string(address), errno);
  return {};
}

std::optional<NeighbourAnswer> SolicitationProbe::take() const {
  std::array<std::uint8_t, 512> buffer{};
  for (;;) {
    const ssize_t length = recv(socket_.fd(), buffer.data(), buffer.size(), 0);
    if (length < 0) return std::nullopt;
    nd_neighbor_advert header{};
    if (static_cast<std::size_t>(length) < sizeof header) continue;
    std::memcpy(&header, buffer.data(), sizeof header);
    const auto mac = mac_in(buffer.data() + sizeof header, static_cast<std::size_t>(length) - sizeof header);
    if (!mac) continue;
    NeighbourAnswer answer{.address = {.family = model::Family::ipv6, .bytes = {}}, .mac = *mac};
    std::ranges::copy(header.nd_na_target.s6_addr, answer.address.bytes.begin());
    return answer;
  }
}

}  // namespace penstock::doctor
