#include "agent/bpffs.hpp"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>

namespace penstock::agent {
namespace {

constexpr const char* usual_place = "/sys/fs/bpf";
constexpr const char* first_process_place = "/proc/1/root/sys/fs/bpf";

bool is_bpffs(const char* directory) {
  struct statfs status{};
  return statfs(directory, &status) == 0 && status.f_type == BPF_FS_MAGIC;
}

bool shares_mounts_with_first_process() {
  struct stat own{};
  struct stat first{};
  return stat("/proc/self/ns/mnt", &own) == 0 && stat("/proc/1/ns/mnt", &first) == 0 && own.st_ino == first.st_ino;
}

Result<std::string> find_bpffs() {
  if (is_bpffs(usual_place)) return usual_place;
  if (is_bpffs(first_process_place)) return first_process_place;
  if (!shares_mounts_with_first_process())
    return fail(
        ErrorCode::unavailable,
        "no BPF file system is at /sys/fs/bpf, and one mounted by this process, which may have mounts of its own (as "
        "under "
        "`ip netns exec`), would not last; mount -t bpf bpf /sys/fs/bpf, or enter the network namespace alone: nsenter "
        "--net=/run/netns/NAME");
  if (mount("bpf", usual_place, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
    return fail_errno(fmt::format("mounting a BPF file system on {}", usual_place), errno);
  return usual_place;
}

}  // namespace

Result<std::string> pin_path(const std::string& name) {
  const auto root = find_bpffs();
  if (!root) return fail(root.error());
  struct stat network{};
  if (stat("/proc/thread-self/ns/net", &network) != 0) return fail_errno("finding the network namespace", errno);
  return fmt::format("{}/penstock-realserver/{}/{}", *root, network.st_ino, name);
}

}  // namespace penstock::agent
