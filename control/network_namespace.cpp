#include "control/network_namespace.hpp"

#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/file.hpp"

namespace penstock::control {

Result<NetworkNamespace> own_network_namespace() {
  struct stat status{};
  if (stat("/proc/thread-self/ns/net", &status) != 0) return fail_errno("finding the network namespace", errno);
  const File socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return fail_errno("creating a socket", errno);
  u64 cookie = 0;
  socklen_t size = sizeof cookie;
  if (getsockopt(socket.fd(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0)
    return fail_errno("reading the network namespace's cookie", errno);
  return NetworkNamespace{.inode = status.st_ino, .cookie = cookie};
}

}  // namespace penstock::control
