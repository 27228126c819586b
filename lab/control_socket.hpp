// Whether a director's daemon takes connections on its control socket. Asked from inside the host.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace penstock::lab {

// The first listening socket of Penstock in the text of /proc/net/unix, which shows one network namespace; '@' leads an abstract name.
[[nodiscard]] std::optional<std::string> find_control_socket(std::string_view proc_net_unix);

[[nodiscard]] bool control_socket_answers();

}  // namespace penstock::lab
