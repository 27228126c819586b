// The options of the synchronisation daemon. Penstock has none yet, but a mistake in them is told before that is.
#pragma once

#include <optional>
#include <string>

#include "cli/ipvsadm_options.hpp"

namespace penstock::cli {

// ipvsadm's complaint about the value of --syncid, --sync-maxlen, --mcast-group, --mcast-port or --mcast-ttl.
[[nodiscard]] std::optional<std::string> sync_option_complaint(Option option, const std::string& value);

}  // namespace penstock::cli
