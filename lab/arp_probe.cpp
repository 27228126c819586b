#include "lab/arp_probe.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "lab/network_namespace_scope.hpp"
#include "lab/process.hpp"

namespace penstock::lab {
namespace {

using Ipv4 = std::array<std::uint8_t, 4>;

Ipv4 ipv4(const model::Address& address) {
  return {address.bytes[0], address.bytes[1], address.bytes[2], address.bytes[3]};
}

class Prober {
 public:
  static Result<Prober> open(const std::string& interface) {
    Prober prober(FileDescriptor(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ARP))));
    if (!prober.socket_) return fail_errno("packet socket", errno);
    ifreq request{};
    std::ranges::copy(interface, request.ifr_name);
    if (ioctl(prober.socket_.get(), SIOCGIFHWADDR, &request) != 0) return fail_errno("MAC of " + interface, errno);
    std::copy_n(request.ifr_hwaddr.sa_data, prober.mac_.size(), prober.mac_.begin());
    if (ioctl(prober.socket_.get(), SIOCGIFADDR, &request) != 0) return fail_errno("address of " + interface, errno);
    std::copy_n(request.ifr_addr.sa_data + 2, prober.address_.size(), prober.address_.begin());
    prober.index_ = static_cast<int>(if_nametoindex(interface.c_str()));
    return prober;
  }

  Result<void> ask(const Ipv4& address) const {
    ether_arp question{};
    question.ea_hdr = {htons(ARPHRD_ETHER), htons(ETHERTYPE_IP), ETH_ALEN, sizeof(Ipv4), htons(ARPOP_REQUEST)};
    std::ranges::copy(mac_, question.arp_sha);
    std::ranges::copy(address_, question.arp_spa);
    std::ranges::copy(address, question.arp_tpa);
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(ETH_P_ARP);
    to.sll_ifindex = index_;
    to.sll_halen = ETH_ALEN;
    std::ranges::fill_n(to.sll_addr, ETH_ALEN, static_cast<unsigned char>(0xff));
    if (sendto(socket_.get(), &question, sizeof question, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) {
      return fail_errno("asking by ARP", errno);
    }
    return {};
  }

  struct Answer {
    Ipv4 address;
    MacAddress mac;
  };
  // Nothing by the deadline: an error.
  Result<Answer> receive(Deadline deadline) const {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd readable{.fd = socket_.get(), .events = POLLIN, .revents = 0};
      if (left.count() <= 0 || poll(&readable, 1, static_cast<int>(left.count())) == 0) {
        return fail(ErrorCode::unavailable, "no answer by ARP", ETIMEDOUT);
      }
      ether_arp reply{};
      if (recv(socket_.get(), &reply, sizeof reply, 0) != sizeof reply) continue;
      if (reply.ea_hdr.ar_op != htons(ARPOP_REPLY)) continue;
      Answer answer{};
      std::copy_n(reply.arp_spa, answer.address.size(), answer.address.begin());
      std::copy_n(reply.arp_sha, answer.mac.size(), answer.mac.begin());
      return answer;
    }
  }

 private:
  explicit Prober(FileDescriptor socket) : socket_(std::move(socket)) {}

  FileDescriptor socket_;
  MacAddress mac_{};
  Ipv4 address_{};
  int index_ = 0;
};

}  // namespace

std::string to_string(const MacAddress& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

Result<std::set<MacAddress>> who_has(const FileDescriptor& init, const ArpQuestion& question,
                                     std::chrono::milliseconds time_max) {
  const NetworkNamespaceScope in_host(init);
  if (!in_host.entered()) return fail_errno("entering the host's network", errno);
  const auto prober = Prober::open(question.interface);
  if (!prober) return fail(prober.error());
  if (auto asked = prober->ask(ipv4(question.address)); !asked) return fail(std::move(asked.error()));
  std::set<Ipv4> outstanding;
  for (const model::Address& witness : question.witnesses) {
    if (auto asked = prober->ask(ipv4(witness)); !asked) return fail(std::move(asked.error()));
    outstanding.insert(ipv4(witness));
  }
  std::set<MacAddress> answered;
  const Deadline deadline = in(time_max);
  while (!outstanding.empty()) {
    const auto answer = prober->receive(deadline);
    if (!answer) return fail(answer.error());
    outstanding.erase(answer->address);
    if (answer->address == ipv4(question.address)) answered.insert(answer->mac);
  }
  return answered;
}

}  // namespace penstock::lab
