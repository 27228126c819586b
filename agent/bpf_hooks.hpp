// Where the programs of a real server are attached, so that they stay when the command ends: an interface's XDP and clsact keep
// theirs, a cgroup's are kept by links that are pinned in a BPF file system. Values are those of Setting: "none" or a
// program's name and number.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace penstock::agent {

[[nodiscard]] Result<std::string> read_xdp(std::uint32_t interface);
// In the driver (native). Error unsupported: the driver can't; busy: somebody else's program is there.
[[nodiscard]] Result<void> write_xdp(std::uint32_t interface, const std::string& value);

enum class TcSide { in, out };

[[nodiscard]] Result<std::string> read_tc(std::uint32_t interface, TcSide side);
[[nodiscard]] Result<void> write_tc(std::uint32_t interface, TcSide side, const std::string& value);
// Its removal takes all filters with it; who still has some there is asked before.
[[nodiscard]] Result<void> make_clsact(std::uint32_t interface);
[[nodiscard]] Result<void> remove_clsact(std::uint32_t interface);

// `name`: sock_ops, getpeername4 or getpeername6. `cgroup`: a directory of a cgroup2 file system; empty: its root.
[[nodiscard]] Result<std::string> read_cgroup(const std::string& name);
[[nodiscard]] Result<void> write_cgroup(const std::string& name, const std::string& value, const std::string& cgroup);

}  // namespace penstock::agent
