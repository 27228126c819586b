#include "api/socket_path.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

namespace penstock::api {

Result<std::string> runtime_directory() {
  constexpr const char* own_namespace = "/proc/thread-self/ns/net";
  struct stat status{};
  if (stat(own_namespace, &status) != 0)
    return fail_errno(fmt::format("finding the network namespace from {}", own_namespace), errno);
  return fmt::format("/run/penstock/{}", status.st_ino);
}

Result<std::string> control_socket_path() {
  const char* chosen = std::getenv("PENSTOCK_SOCKET");
  if (chosen != nullptr && *chosen != '\0') return std::string(chosen);
  return runtime_directory().map([](const std::string& directory) { return directory + "/control.sock"; });
}

}  // namespace penstock::api
