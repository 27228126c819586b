// Words for tunnels: `--tun-type gue --tun-port 6080` and, with --tun-info, "gue:6080:-c".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/service.hpp"

namespace penstock::cli {

// "ipip", "gue", "gre"
[[nodiscard]] const char* to_string(model::TunnelType type);
[[nodiscard]] std::optional<model::TunnelType> parse_tunnel_type(std::string_view text);

// The column of --tun-info; "n/a" for a server that is not tunneled to.
[[nodiscard]] std::string tunnel_info(const model::RealServer& server);
// The options that -S writes for a tunneled server, each with a blank before it.
[[nodiscard]] std::string tunnel_options(const model::Tunnel& tunnel);

}  // namespace penstock::cli
