// Result<T>: the value, or the Error that took its place. Return `fail(...)` to refuse, `with_context(...)` to say on whose behalf.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "base/error.hpp"

namespace penstock {

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message, int errno_value = 0) {
  return tl::unexpected<Error>(Error{code, std::move(message), errno_value});
}

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

// Puts "what was tried: " before the sentence of an error that came from below.
[[nodiscard]] inline tl::unexpected<Error> with_context(std::string_view tried, Error error) {
  error.message.insert(0, ": ").insert(0, tried);
  return tl::unexpected<Error>(std::move(error));
}

// "<tried>: <strerror>"; the code follows from the errno.
[[nodiscard]] tl::unexpected<Error> fail_errno(std::string_view tried, int errno_value);

}  // namespace penstock
