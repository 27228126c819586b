#include "lab/neighbour_probe.hpp"

#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lab/network_namespace_scope.hpp"
#include "lab/process.hpp"

namespace penstock::lab {
namespace {

using model::Address;

// RFC 4861 §4.3, §4.6.1
struct Solicitation {
  nd_neighbor_solicit head;
  nd_opt_hdr source_option;
  MacAddress source;
};
struct Advertisement {
  nd_neighbor_advert head;
  nd_opt_hdr target_option;
  MacAddress target;
};
constexpr int hop_limit = 255;  // any less shows that a router has forwarded it

sockaddr_in6 solicited_node(const Address& address, unsigned interface) {
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_scope_id = interface;
  to.sin6_addr = {
      {{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, address.bytes[13], address.bytes[14], address.bytes[15]}}};
  return to;
}

class Prober {
 public:
  static Result<Prober> open(const std::string& interface) {
    Prober prober(FileDescriptor(socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6)));
    if (!prober.socket_) return fail_errno("raw socket", errno);
    ifreq request{};
    std::ranges::copy(interface, request.ifr_name);
    if (ioctl(prober.socket_.get(), SIOCGIFHWADDR, &request) != 0) return fail_errno("MAC of " + interface, errno);
    std::copy_n(request.ifr_hwaddr.sa_data, prober.mac_.size(), prober.mac_.begin());
    prober.index_ = if_nametoindex(interface.c_str());
    icmp6_filter filter{};
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &filter);
    if (setsockopt(prober.socket_.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) != 0 ||
        setsockopt(prober.socket_.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hop_limit, sizeof hop_limit) != 0) {
      return fail_errno("raw socket of " + interface, errno);
    }
    return prober;
  }

  Result<void> ask(const Address& address) const {
    Solicitation question{};
    question.head.nd_ns_type = ND_NEIGHBOR_SOLICIT;
    std::memcpy(&question.head.nd_ns_target, address.bytes.data(), sizeof question.head.nd_ns_target);
    question.source_option = {.nd_opt_type = ND_OPT_SOURCE_LINKADDR, .nd_opt_len = 1};
    question.source = mac_;
    const sockaddr_in6 to = solicited_node(address, index_);
    if (sendto(socket_.get(), &question, sizeof question, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) {
      return fail_errno("soliciting a neighbour", errno);
    }
    return {};
  }

  struct Answer {
    Address address;
    MacAddress mac;
  };
  // Nothing by the deadline: an error.
  Result<Answer> receive(Deadline deadline) const {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd readable{.fd = socket_.get(), .events = POLLIN, .revents = 0};
      if (left.count() <= 0 || poll(&readable, 1, static_cast<int>(left.count())) == 0) {
        return fail(ErrorCode::unavailable, "no neighbour advertisement", ETIMEDOUT);
      }
      Advertisement reply{};
      if (recv(socket_.get(), &reply, sizeof reply, 0) != sizeof reply) continue;
      Answer answer{.address = {.family = model::Family::ipv6, .bytes = {}}, .mac = reply.target};
      std::memcpy(answer.address.bytes.data(), &reply.head.nd_na_target, sizeof reply.head.nd_na_target);
      return answer;
    }
  }

 private:
  explicit Prober(FileDescriptor socket) : socket_(std::move(socket)) {}

  FileDescriptor socket_;
  MacAddress mac_{};
  unsigned index_ = 0;
};

}  // namespace

Result<std::set<MacAddress>> who_has(const FileDescriptor& init, const NeighbourQuestion& question,
                                     std::chrono::milliseconds time_max) {
  const NetworkNamespaceScope in_host(init);
  if (!in_host.entered()) return fail_errno("entering the host's network", errno);
  const auto prober = Prober::open(question.interface);
  if (!prober) return fail(prober.error());
  if (auto asked = prober->ask(question.address); !asked) return fail(std::move(asked.error()));
  std::set<Address> outstanding;
  for (const Address& witness : question.witnesses) {
    if (auto asked = prober->ask(witness); !asked) return fail(std::move(asked.error()));
    outstanding.insert(witness);
  }
  std::set<MacAddress> answered;
  const Deadline deadline = in(time_max);
  while (!outstanding.empty()) {
    const auto answer = prober->receive(deadline);
    if (!answer) return fail(answer.error());
    outstanding.erase(answer->address);
    if (answer->address == question.address) answered.insert(answer->mac);
  }
  return answered;
}

}  // namespace penstock::lab
