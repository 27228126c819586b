// A file's attributes: the server's (RFC 1813 §2.5) and the kernel's.
#pragma once

#include <sys/stat.h>

#include "lab/nfs/libnfs.hpp"
#include "lab/nfs/node_table.hpp"

namespace penstock::lab {

[[nodiscard]] struct stat to_stat(const fattr3& attributes);

[[nodiscard]] Version version_of(const fattr3& attributes);

// `to_set`: FUSE_SET_ATTR_…; the rest is left as it is.
[[nodiscard]] sattr3 to_changes(const struct stat& wanted, int to_set);

// Of a file to be made.
[[nodiscard]] sattr3 with_mode(mode_t mode);

}  // namespace penstock::lab
