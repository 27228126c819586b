#include "doctor/look/checksum_watch.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace penstock::doctor {
namespace {

constexpr int frames_max = 100'000;  // of what waits in the socket: a busy link shall not keep us

// Without extension headers, which TCP has none of here.
bool is_tcp(const sockaddr_ll& from, const std::uint8_t* packet, std::size_t size) {
  if (from.sll_protocol == htons(ETH_P_IP))
    return size >= sizeof(iphdr) && packet[offsetof(iphdr, protocol)] == IPPROTO_TCP;
  if (from.sll_protocol == htons(ETH_P_IPV6)) return size >= sizeof(ip6_hdr) && packet[6] == IPPROTO_TCP;
  return false;
}

bool is_owed(msghdr& message) {
  for (const cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, const_cast<cmsghdr*>(part))) {
    if (part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA) continue;
    tpacket_auxdata about{};
    std::memcpy(&about, CMSG_DATA(part), sizeof about);
    return (about.tp_status & TP_STATUS_CSUMNOTREADY) != 0;
  }
  return false;
}

}  // namespace

Result<ChecksumWatch> ChecksumWatch::open(std::uint32_t interface) {
  Descriptor socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return fail_errno("opening a packet socket", errno);
  constexpr int on = 1;
  sockaddr_ll here{};
  here.sll_family = AF_PACKET;
  here.sll_protocol = htons(ETH_P_ALL);
  here.sll_ifindex = static_cast<int>(interface);
  if (setsockopt(socket.fd(), SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) != 0 ||
      bind(socket.fd(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0)
    return fail_errno("binding a packet socket", errno);
  return ChecksumWatch(std::move(socket));
}

bool ChecksumWatch::saw_owed_checksum() const {
  std::array<std::uint8_t, 64> packet{};
  for (int i = 0; i < frames_max; ++i) {
    sockaddr_ll from{};
    iovec into{.iov_base = packet.data(), .iov_len = packet.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(tpacket_auxdata))> about{};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &into;
    message.msg_iovlen = 1;
    message.msg_control = about.data();
    message.msg_controllen = about.size();
    const ssize_t length = recvmsg(socket_.fd(), &message, 0);
    if (length < 0) return false;
    if (from.sll_pkttype == PACKET_OUTGOING || !is_tcp(from, packet.data(), static_cast<std::size_t>(length))) continue;
    if (is_owed(message)) return true;
  }
  return false;
}

}  // namespace penstock::doctor
