#include "lab/root_filesystem.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

namespace penstock::lab {
namespace {

namespace fs = std::filesystem;

// lowerdir=/ shows the root's own file system only; these may be others on some machines.
constexpr std::array own_mounts{"/usr", "/etc", "/var", "/opt", "/srv", "/home", "/root"};

// The user's own configuration and data, which must not leak into a lab.
constexpr std::array hidden{"/root",
                            "/etc/penstock",
                            "/var/lib/penstock",
                            "/etc/nginx/sites-enabled",
                            "/etc/nginx/conf.d",
                            "/etc/nginx/modules-enabled",
                            "/var/log/nginx"};

struct Mount {
  const char* what;
  std::string where;
  const char* type;
  unsigned long flags = 0;
  std::string data{};
};

Result<void> mount(const Mount& m) {
  const char* data = m.data.empty() ? nullptr : m.data.c_str();
  if (::mount(m.what, m.where.c_str(), m.type, m.flags, data) == 0) return {};
  return fail_errno("mounting " + std::string(m.type ? m.type : m.what) + " on " + m.where, errno);
}

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail_errno("creating " + path, error.value());
  return {};
}

bool is_mount_point(const std::string& path) {
  struct stat here{};
  struct stat parent{};
  return stat(path.c_str(), &here) == 0 && stat((path + "/..").c_str(), &parent) == 0 && S_ISDIR(here.st_mode) &&
         here.st_dev != parent.st_dev;
}

Result<void> mount_overlay(const std::string& lower, const std::string& layers, const std::string& where) {
  for (const char* layer : {"/upper", "/work"}) {
    if (auto made = make_folder(layers + layer); !made) return made;
  }
  return mount({.what = "overlay",
                .where = where,
                .type = "overlay",
                .data = "lowerdir=" + lower + ",upperdir=" + layers + "/upper,workdir=" + layers + "/work"});
}

Result<void> mount_overlays(const std::string& staging, const std::string& root) {
  if (auto made = make_folder(root); !made) return made;
  if (auto mounted = mount_overlay("/", staging, root); !mounted) return mounted;
  for (const std::string path : own_mounts) {
    if (!is_mount_point(path)) continue;
    if (auto mounted = mount_overlay(path, staging + "/layers" + path, root + path); !mounted) return mounted;
  }
  return {};
}

Result<void> mount_memory(const std::string& where, const char* mode) {
  return mount({.what = "tmpfs", .where = where, .type = "tmpfs", .flags = MS_NOSUID | MS_NODEV, .data = mode});
}

Result<void> mount_system(const std::string& root) {
  const Mount mounts[] = {
      {.what = "/dev", .where = root + "/dev", .type = nullptr, .flags = MS_BIND | MS_REC},
      {.what = "tmpfs", .where = root + "/dev/shm", .type = "tmpfs", .data = "mode=1777"},
      {.what = "proc", .where = root + "/proc", .type = "proc"},
      {.what = "sysfs", .where = root + "/sys", .type = "sysfs"},
      {.what = "bpf", .where = root + "/sys/fs/bpf", .type = "bpf", .data = "mode=0700"},
      {.what = "tmpfs", .where = root + "/run", .type = "tmpfs", .data = "mode=0755"},
      {.what = "tmpfs", .where = root + "/tmp", .type = "tmpfs", .data = "mode=1777"},
  };
  for (const Mount& m : mounts) {
    if (auto mounted = mount(m); !mounted) return mounted;
  }
  return {};
}

Result<void> hide_users_own(const std::string& root) {
  for (const char* path : hidden) {
    std::error_code ignored;
    if (!fs::is_directory(root + path, ignored)) continue;
    if (auto mounted = mount_memory(root + path, "mode=0755"); !mounted) return mounted;
  }
  return {};
}

Result<void> bind_project(const std::string& root, const Project& project) {
  for (const std::string& path : {project.root, project.bin}) {
    if (path == project.bin && path.starts_with(project.root + "/")) continue;
    if (auto made = make_folder(root + path); !made) return made;
    if (auto mounted = mount({.what = path.c_str(), .where = root + path, .type = nullptr, .flags = MS_BIND | MS_REC});
        !mounted) {
      return mounted;
    }
  }
  return {};
}

// pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one and is taken off there.
Result<void> pivot_to(const std::string& root) {
  if (chdir(root.c_str()) != 0) return fail_errno("entering " + root, errno);
  if (syscall(SYS_pivot_root, ".", ".") != 0) return fail_errno("pivot_root to " + root, errno);
  if (umount2(".", MNT_DETACH) != 0) return fail_errno("leaving the machine's root", errno);
  if (chdir("/") != 0) return fail_errno("entering /", errno);
  return {};
}

}  // namespace

Result<void> enter_own_root(const std::string& staging, const Project& project) {
  const std::string root = staging + "/root";
  if (auto made = mount({.what = "none", .where = "/", .type = nullptr, .flags = MS_REC | MS_PRIVATE}); !made)
    return made;
  if (auto made = mount({.what = "tmpfs", .where = staging, .type = "tmpfs", .data = "mode=0755"}); !made) return made;
  if (auto made = mount_overlays(staging, root); !made) return made;
  if (auto made = mount_system(root); !made) return made;
  if (auto made = hide_users_own(root); !made) return made;
  if (auto made = bind_project(root, project); !made) return made;
  return pivot_to(root);
}

}  // namespace penstock::lab
