#include "tests/serving/inet.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace penstock::serving {
namespace {

template <typename Sockaddr>
SocketAddress made_of(const Sockaddr& address) {
  SocketAddress made;
  std::memcpy(&made.storage, &address, sizeof address);
  made.size = sizeof address;
  return made;
}

template <typename Sockaddr>
Sockaddr as(const SocketAddress& address) {
  Sockaddr out;
  std::memcpy(&out, &address.storage, sizeof out);
  return out;
}

// Room for one control message of either family.
struct Control {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(in6_pktinfo))> bytes{};
};

void read_own_address(msghdr& message, SocketAddress& own) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      own = made_of(sockaddr_in{.sin_family = AF_INET, .sin_port = 0, .sin_addr = info.ipi_addr, .sin_zero = {}});
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      own = made_of(sockaddr_in6{.sin6_family = AF_INET6,
                                 .sin6_port = 0,
                                 .sin6_flowinfo = 0,
                                 .sin6_addr = info.ipi6_addr,
                                 .sin6_scope_id = 0});
    }
  }
}

template <typename Info>
void write_control(msghdr& message, int level, int type, const Info& info) {
  message.msg_controllen = CMSG_SPACE(sizeof info);
  cmsghdr* c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = level;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(c), &info, sizeof info);
}

void write_own_address(msghdr& message, const SocketAddress& own) {
  if (own.family() == AF_INET) {
    write_control(message, IPPROTO_IP, IP_PKTINFO,
                  in_pktinfo{.ipi_ifindex = 0, .ipi_spec_dst = as<sockaddr_in>(own).sin_addr, .ipi_addr = {}});
  } else {
    write_control(message, IPPROTO_IPV6, IPV6_PKTINFO,
                  in6_pktinfo{.ipi6_addr = as<sockaddr_in6>(own).sin6_addr, .ipi6_ifindex = 0});
  }
}

}  // namespace

Result<SocketAddress> socket_address(const std::string& address, std::uint16_t port) {
  sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
  if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) return made_of(v4);
  SocketAddress made = any_address(AF_INET6, port);
  auto v6 = as<sockaddr_in6>(made);
  if (inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) return made_of(v6);
  return fail(ErrorCode::invalid_argument, fmt::format("'{}' is not an address", address));
}

SocketAddress any_address(int family, std::uint16_t port) {
  if (family == AF_INET) {
    return made_of(sockaddr_in{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}});
  }
  return made_of(sockaddr_in6{
      .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_flowinfo = 0, .sin6_addr = {}, .sin6_scope_id = 0});
}

std::string to_string(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.family() == AF_INET) {
    const auto v4 = as<sockaddr_in>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), ntohs(v4.sin_port));
  }
  const auto v6 = as<sockaddr_in6>(address);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text.data(), text.size());
    return fmt::format("{}:{}", text.data(), ntohs(v6.sin6_port));
  }
  inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  return fmt::format("[{}]:{}", text.data(), ntohs(v6.sin6_port));
}

Result<void> note_own_address(int socket, int family) {
  const int on = 1;
  const int done = family == AF_INET ? setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on)
                                     : setsockopt(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  if (done != 0) return fail_errno("asking for the address that packets were sent to", errno);
  return {};
}

std::optional<Datagram> receive(int socket, std::span<std::byte> buffer) {
  Datagram datagram;
  Control control;
  iovec vector{.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr message{};
  message.msg_name = &datagram.peer.storage;
  message.msg_namelen = datagram.peer.size;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  const ssize_t size = recvmsg(socket, &message, 0);
  if (size < 0) return std::nullopt;
  datagram.size = static_cast<std::size_t>(size);
  datagram.peer.size = message.msg_namelen;
  read_own_address(message, datagram.own);
  return datagram;
}

bool answer(int socket, const Datagram& asked, std::span<const std::byte> payload) {
  SocketAddress peer = asked.peer;
  Control control;
  iovec vector{.iov_base = const_cast<std::byte*>(payload.data()), .iov_len = payload.size()};
  msghdr message{};
  message.msg_name = &peer.storage;
  message.msg_namelen = peer.size;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  write_own_address(message, asked.own);
  return sendmsg(socket, &message, 0) == static_cast<ssize_t>(payload.size());
}

void go_into_background() {
  const pid_t pid = fork();
  if (pid != 0) _exit(pid < 0 ? 1 : 0);
  setsid();
  // Whoever waits for the end of the output must not wait for us.
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) close(standard);
}

}  // namespace penstock::serving
