#include "doctor/look/arp_probe.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace penstock::doctor {
namespace {

constexpr std::size_t ipv4_bytes = 4;

sockaddr_ll everybody_on(std::uint32_t interface) {
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(ETH_P_ARP);
  to.sll_ifindex = static_cast<int>(interface);
  to.sll_halen = ETH_ALEN;
  std::ranges::fill_n(to.sll_addr, ETH_ALEN, static_cast<unsigned char>(0xff));
  return to;
}

}  // namespace

Result<ArpProbe> ArpProbe::open(std::uint32_t interface, const Mac& mac) {
  Descriptor socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ARP)));
  if (!socket.is_open()) return fail_errno("opening a packet socket for ARP", errno);
  const sockaddr_ll on = everybody_on(interface);
  if (bind(socket.fd(), reinterpret_cast<const sockaddr*>(&on), sizeof on) != 0)
    return fail_errno("binding a packet socket for ARP", errno);
  return ArpProbe(std::move(socket), interface, mac);
}

Result<void> ArpProbe::ask(const model::Address& address, const std::optional<model::Address>& source) const {
  ether_arp question{};
  question.ea_hdr = {htons(ARPHRD_ETHER), htons(ETHERTYPE_IP), ETH_ALEN, ipv4_bytes, htons(ARPOP_REQUEST)};
  std::ranges::copy(mac_, question.arp_sha);
  if (source) std::copy_n(source->bytes.begin(), ipv4_bytes, question.arp_spa);
  std::copy_n(address.bytes.begin(), ipv4_bytes, question.arp_tpa);
  const sockaddr_ll to = everybody_on(interface_);
  if (sendto(socket_.fd(), &question, sizeof question, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0)
    return fail_errno("asking by ARP for " + to_string(address), errno);
  return {};
}

std::optional<NeighbourAnswer> ArpProbe::take() const {
  ether_arp reply{};
  for (;;) {
    const ssize_t length = recv(socket_.fd(), &reply, sizeof reply, 0);
    if (length < 0) return std::nullopt;
    if (length == sizeof reply && reply.ea_hdr.ar_op == htons(ARPOP_REPLY)) break;
  }
  NeighbourAnswer answer{};
  std::copy_n(reply.arp_spa, ipv4_bytes, answer.address.bytes.begin());
  std::copy_n(reply.arp_sha, answer.mac.size(), answer.mac.begin());
  return answer;
}

}  // namespace penstock::doctor
