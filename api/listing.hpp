// The child process that writes a listing of connections to a client (api/server.hpp says why a child).
#pragma once

#include <sys/types.h>

#include "api/director.hpp"
#include "base/result.hpp"

namespace penstock::api {

struct ListingChild {
  pid_t pid;
  int pidfd;  // readable when the child has ended; the caller's to close and to reap
};

// The child writes the whole answer, Done or Error included, to `socket` (which may be non-blocking) and exits 0; any other
// end means that the client got part of an answer.
[[nodiscard]] Result<ListingChild> fork_listing(Director& director, int socket);

}  // namespace penstock::api
