// One XDP program on one interface: a BPF link, with the kernel's refusals in words.
#pragma once

#include <string>

#include "base/file.hpp"
#include "base/result.hpp"
#include "control/rtnetlink.hpp"
#include "datapath/abi/interface.hpp"

namespace penstock::control {

// Error: busy when a program is attached already; it is named.
[[nodiscard]] Result<File> attach_xdp(int program, const Link& link, Hook hook);

// Puts `program` in place of the one that the link has.
[[nodiscard]] Result<void> replace_xdp(const File& link, int program);

// The interface that a link is attached to; 0 when that interface is gone.
[[nodiscard]] Result<u32> interface_of(const File& link);

// Pins keep a link, and with it the attachment, beyond the process.
[[nodiscard]] Result<void> pin_link(const File& link, const std::string& path);
[[nodiscard]] Result<File> open_pinned_link(const std::string& path);

// At once, whoever else holds the link.
[[nodiscard]] Result<void> detach(const File& link);

// How the program on an interface is attached.
[[nodiscard]] Result<Hook> hook_on(u32 interface);

}  // namespace penstock::control
