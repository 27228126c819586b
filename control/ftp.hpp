// FTP through nat, the daemon's half (IPVS: ip_vs_ftp; datapath/core/ftp.hpp, ADR-0011): reads what a control connection says
// about data connections, makes these, and puts the virtual address into what the client hears.
#pragma once

#include "datapath/native/native_platform.hpp"

namespace penstock::control {

// Reads the segment in `frame`, which came in by `interface`, and may rewrite it; then it goes along the packet path. False:
// it must not go, but come again: damaged, or the table has no room for the connection.
[[nodiscard]] bool read_ftp(const Tables& tables, FrameBuffer& frame, u32 now, u32 interface);

// Whether the segment in `frame` follows one that is still to be read.
[[nodiscard]] bool awaits_ftp(const Tables& tables, FrameBuffer& frame, u32 now, u32 interface);

}  // namespace penstock::control
