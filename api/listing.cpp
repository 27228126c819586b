#include "api/listing.hpp"

#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "api/answer.hpp"
#include "api/codec.hpp"
#include "api/frame.hpp"
#include "api/server.hpp"

namespace penstock::api {
namespace {

bool wait_writable(int socket) {
  constexpr int stall_ms = std::chrono::duration_cast<std::chrono::milliseconds>(client_stall_max).count();
  pollfd watched{.fd = socket, .events = POLLOUT, .revents = 0};
  int ready = 0;
  do ready = poll(&watched, 1, stall_ms);
  while (ready < 0 && errno == EINTR);
  return ready > 0;
}

bool write_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      if (!wait_writable(socket)) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

// Files of the daemon must not live on in the child: its lock, and other clients' sockets.
void close_all_but(int kept) {
  if (kept > 3) close_range(3, static_cast<unsigned>(kept) - 1, 0);
  close_range(static_cast<unsigned>(kept) + 1, ~0U, 0);
}

[[noreturn]] void list(Director& director, int socket, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  close_all_but(socket);
  answer(director, ListConnections{}, [&](const Reply& reply) {
    const std::string text = encode_reply(reply);
    const FrameHeader header = frame_header(static_cast<std::uint32_t>(text.size()));
    std::string frame(header.begin(), header.end());
    frame += text;
    if (!write_all(socket, frame)) _exit(1);
  });
  _exit(0);
}

}  // namespace

Result<ListingChild> fork_listing(Director& director, int socket) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return fail_errno("starting a process for the listing", errno);
  if (child == 0) list(director, socket, parent);
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  if (pidfd >= 0) return ListingChild{child, pidfd};
  const int problem = errno;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return fail_errno("watching the process for the listing", problem);
}

}  // namespace penstock::api
