// The smallest XDP program, `return XDP_PASS`, on an interface. veth delivers what its peer sends by native XDP_TX or
// XDP_REDIRECT only when it has a program of its own (kernel: veth_xdp_xmit wants the receiver's NAPI).
#pragma once

#include <string>

#include "base/result.hpp"
#include "lab/file_descriptor.hpp"

namespace penstock::lab {

// Native mode, interface of the calling thread's network namespace. The program stays as long as the returned link is open.
[[nodiscard]] Result<FileDescriptor> attach_xdp_pass(const std::string& interface);

}  // namespace penstock::lab
