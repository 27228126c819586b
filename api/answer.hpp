// From a request to the director's method and from its result to replies: the daemon's half of the client.
#pragma once

#include <functional>

#include "api/director.hpp"
#include "api/reply.hpp"
#include "api/request.hpp"

namespace penstock::api {

// A chunk of a connection listing: large enough that frames cost little, small enough to be a page of memory or so.
inline constexpr std::size_t connections_per_reply = 256;

// Calls `emit` for every reply of the answer, the one that ends it last.
void answer(Director& director, const Request& request, const std::function<void(const Reply&)>& emit);

}  // namespace penstock::api
