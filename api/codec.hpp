// Requests and replies as JSON text. Strict: a field too many, too few or of the wrong type is an error that names the field,
// because a client that believes it said something must not be half understood. Every text carries the protocol's version.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/reply.hpp"
#include "api/request.hpp"
#include "base/result.hpp"

namespace penstock::api {

// Raised whenever a field's name or meaning changes: programs of different releases refuse each other with a sentence.
inline constexpr std::uint32_t protocol_version = 2;

[[nodiscard]] std::string encode_request(const Request& request);
[[nodiscard]] std::string encode_reply(const Reply& reply);

// Error: ErrorCode::protocol, or ErrorCode::unsupported for another version.
[[nodiscard]] Result<Request> decode_request(std::string_view text);
[[nodiscard]] Result<Reply> decode_reply(std::string_view text);

}  // namespace penstock::api
