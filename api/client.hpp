// The director behind a daemon's socket, for programs that wait for the answer.
#pragma once

#include <memory>
#include <string>

#include "api/director.hpp"
#include "base/result.hpp"

namespace penstock::api {

// A daemon that says nothing for this long is given up.
inline constexpr int answer_timeout_s = 60;

// Connects now. Errors: unavailable (nobody listens there), permission_denied, and io. Each method blocks until its answer is
// complete; after an error of code io, protocol or unsupported-version the connection is closed and a new one is needed.
[[nodiscard]] Result<std::unique_ptr<Director>> connect(const std::string& path);

// connect(control_socket_path())
[[nodiscard]] Result<std::unique_ptr<Director>> connect();

}  // namespace penstock::api
