#include "netlink/socket.hpp"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <vector>

namespace penstock::netlink {
namespace {

constexpr std::size_t receive_bytes = 64 * 1024;    // the kernel fills dumps to at most 32 KiB
constexpr int notification_buffer_bytes = 4 << 20;  // thousands of notifications while the daemon is busy
constexpr int interrupted_dumps_max = 10;

int hand_over(const nlmsghdr* message, void* each) {
  (*static_cast<const Socket::Each*>(each))(message);
  return MNL_CB_OK;
}

}  // namespace

void Socket::Close::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

int Socket::fd() const { return mnl_socket_get_fd(socket_.get()); }

Result<Socket> Socket::open(std::initializer_list<std::uint32_t> groups) {
  mnl_socket* socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (socket == nullptr) return fail_errno("opening a route netlink socket", errno);
  Socket opened(socket);
  if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) return fail_errno("binding a route netlink socket", errno);
  for (std::uint32_t group : groups)
    if (mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
      return fail_errno("subscribing to rtnetlink notifications", errno);
  // Best effort: more than the system's limit needs CAP_NET_ADMIN, and an overrun is noticed and mended.
  setsockopt(opened.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &notification_buffer_bytes, sizeof notification_buffer_bytes);
  return opened;
}

Result<void> Socket::ask(nlmsghdr* request, const Each& each) {
  const bool is_dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  request->nlmsg_flags |= NLM_F_REQUEST;
  if (!is_dump) request->nlmsg_flags |= NLM_F_ACK;  // so that every answer has an end
  for (int attempt = 0;; ++attempt) {
    request->nlmsg_seq = ++sequence_;
    if (mnl_socket_sendto(socket_.get(), request, request->nlmsg_len) < 0) return fail_errno("asking rtnetlink", errno);
    std::vector<char> buffer(receive_bytes);
    int state = MNL_CB_OK;
    while (state == MNL_CB_OK) {
      const ssize_t length = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
      if (length < 0 && errno == EINTR) continue;
      if (length < 0) return fail_errno("hearing from rtnetlink", errno);
      state = mnl_cb_run(buffer.data(), static_cast<size_t>(length), sequence_, mnl_socket_get_portid(socket_.get()),
                         hand_over, const_cast<Each*>(&each));
    }
    if (state == MNL_CB_STOP) return {};
    // A dump that something changed under: the messages so far are true, the rest is asked again.
    if (errno == EINTR && is_dump && attempt < interrupted_dumps_max) continue;
    return fail_errno("rtnetlink", errno);
  }
}

Result<bool> Socket::drain(const Each& each) {
  std::vector<char> buffer(receive_bytes);
  bool complete = true;
  for (;;) {
    const ssize_t length = recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && errno == ENOBUFS) {
      complete = false;
      continue;
    }
    if (length < 0 && errno == EAGAIN) return complete;
    if (length < 0) return fail_errno("hearing from rtnetlink", errno);
    mnl_cb_run(buffer.data(), static_cast<size_t>(length), 0, 0, hand_over, const_cast<Each*>(&each));
  }
}

}  // namespace penstock::netlink
