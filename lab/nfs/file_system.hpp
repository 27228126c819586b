// The FUSE side of an NFSv3 mount: each request of the kernel becomes one RPC, and the RPC's reply the request's answer.
//
// As with a kernel's client, attributes and names are believed for three seconds, and a file that is opened shows what was closed elsewhere
// before. Writes are on the server's disk when they return. Permissions are the server's business alone. Not there: making device files and
// pipes, locks between hosts, and keeping a file that is removed while open.
#pragma once

#include "lab/nfs/fuse.hpp"
#include "lab/nfs/node_table.hpp"
#include "lab/nfs/server.hpp"
#include "lab/nfs/waiting.hpp"

namespace penstock::lab {

inline constexpr std::uint32_t transfer_size_max =
    131072;  // bytes a request: as large as FUSE asks without being tuned

struct FileSystem {
  Server server;
  NodeTable nodes;
  WaitingRequests waiting{};
  fuse_session* session = nullptr;
};

// Their user data is a FileSystem.
[[nodiscard]] const fuse_lowlevel_ops& file_system_operations();

}  // namespace penstock::lab
