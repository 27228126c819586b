#include "base/result.hpp"

#include <cerrno>
#include <system_error>

namespace penstock {
namespace {

ErrorCode code_of(int errno_value) {
  switch (errno_value) {
    case EPERM:
    case EACCES:
      return ErrorCode::permission_denied;
    case ENOENT:
    case ESRCH:
    case ENODEV:
    case ENXIO:
      return ErrorCode::not_found;
    case EEXIST:
      return ErrorCode::already_exists;
    case EINVAL:
      return ErrorCode::invalid_argument;
    case ERANGE:
      return ErrorCode::out_of_range;
    case EBUSY:
    case EADDRINUSE:
      return ErrorCode::busy;
    case ENOMEM:
    case ENOSPC:
    case EMFILE:
    case ENFILE:
    case E2BIG:
      return ErrorCode::exhausted;
    case EOPNOTSUPP:
    case ENOSYS:
      return ErrorCode::unsupported;
    case ECONNREFUSED:
    case ENOTCONN:
    case ETIMEDOUT:
      return ErrorCode::unavailable;
    default:
      return ErrorCode::io;
  }
}

}  // namespace

tl::unexpected<Error> fail_errno(std::string_view tried, int errno_value) {
  std::string message(tried);
  message += ": ";
  message += std::generic_category().message(errno_value);
  return fail(code_of(errno_value), std::move(message), errno_value);
}

}  // namespace penstock
