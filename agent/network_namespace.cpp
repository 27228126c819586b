#include "agent/network_namespace.hpp"

#include <sys/socket.h>

#include <cerrno>

#include "base/file.hpp"

namespace penstock::agent {

Result<std::uint64_t> namespace_cookie() {
  const File socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return fail_errno("creating a socket", errno);
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (getsockopt(socket.fd(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0)
    return fail_errno("reading the network namespace's cookie", errno);
  return cookie;
}

}  // namespace penstock::agent
