#include "control/permission.hpp"

#include <cerrno>

namespace penstock::control {

tl::unexpected<Error> fail_privileged(std::string_view tried, int errno_value) {
  auto failure = fail_errno(tried, errno_value);
  if (errno_value == EPERM || errno_value == EACCES)
    failure.value().message += " (penstockd needs root, or the capabilities BPF, NET_ADMIN and PERFMON)";
  return failure;
}

}  // namespace penstock::control
