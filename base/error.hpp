// What went wrong, as a value: a code for programs, a sentence for people, and the errno that the kernel's IPVS would have given.
#pragma once

#include <string>

namespace penstock {

enum class ErrorCode {
  invalid_argument,
  not_found,
  already_exists,
  out_of_range,
  permission_denied,
  busy,
  exhausted,
  unsupported,
  unavailable,
  protocol,
  io,
};

struct Error {
  ErrorCode code;
  std::string message;  // says what was tried on what: "attaching to eth0: operation not permitted"
  int errno_value = 0;  // 0 where no system call and no rule of IPVS stands behind it
};

}  // namespace penstock
