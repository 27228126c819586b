#include "control/bpffs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.hpp"
#include "control/permission.hpp"

namespace penstock::control {
namespace {

constexpr const char* usual_place = "/sys/fs/bpf";
constexpr const char* first_process_place = "/proc/1/root/sys/fs/bpf";

bool is_bpffs(const char* directory) {
  struct statfs status{};
  return statfs(directory, &status) == 0 && status.f_type == BPF_FS_MAGIC;
}

// Where /proc does not show the first process, there is only our own view to go by.
bool shares_mounts_with_first_process() {
  struct stat own{};
  struct stat first{};
  if (stat("/proc/self/ns/mnt", &own) != 0 || stat("/proc/1/ns/mnt", &first) != 0) return true;
  return own.st_ino == first.st_ino;
}

// 0, or the errno.
int mount_bpffs() {
  return mount("bpf", usual_place, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") == 0 ? 0 : errno;
}

// A child enters the other mount namespace, because the daemon could not come back.
int mount_bpffs_for_first_process() {
  const File mounts(open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!mounts.is_open()) return errno;
  const pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) _exit(setns(mounts.fd(), CLONE_NEWNS) != 0 ? errno : mount_bpffs());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

}  // namespace

Result<void> check_bpffs(const std::string& directory) {
  if (is_bpffs(directory.c_str())) return {};
  return fail(ErrorCode::invalid_argument, directory + " is not a BPF file system (mount -t bpf bpf DIRECTORY)");
}

Result<std::string> find_bpffs() {
  if (shares_mounts_with_first_process()) {
    if (is_bpffs(usual_place)) return usual_place;
    if (const int problem = mount_bpffs(); problem != 0)
      return fail_privileged(fmt::format("mounting a BPF file system on {}", usual_place), problem);
    return usual_place;
  }
  if (is_bpffs(first_process_place)) return first_process_place;
  if (const int problem = mount_bpffs_for_first_process(); problem != 0)
    return fail_privileged(
        fmt::format("this process has mounts of its own (as under `ip netns exec`), in which pinned "
                    "tables would not outlive it; enter the network namespace alone, with "
                    "`nsenter --net=/run/netns/NAME penstockd`, or name a lasting BPF file system with "
                    "--bpffs. Mounting one on {} for all",
                    usual_place),
        problem);
  return first_process_place;
}

}  // namespace penstock::control
