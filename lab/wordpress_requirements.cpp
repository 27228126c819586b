#include "lab/wordpress_requirements.hpp"

#include <glob.h>
#include <unistd.h>

#include <sstream>

#include "lab/process.hpp"

namespace penstock::lab {
namespace {

// By a file of the package: some have no program, or one whose name has a version in it.
struct Piece {
  const char* name;
  const char* file;  // a pattern of glob(7)
  const char* package;
  const char* used_for;
};

constexpr Piece pieces[] = {
    {"WordPress", "/usr/share/wordpress/wp-settings.php", "wordpress", "the wordpress topology"},
    {"WordPress theme", "/usr/share/wordpress/wp-content/themes/*", "wordpress-theme-twentytwentythree",
     "without one, its pages are blank"},
    {"php-fpm", "/usr/sbin/php-fpm[0-9]*", "php-fpm", "PHP on its real servers"},
    {"php-mysql", "/usr/lib/php/*/mysqli.so", "php-mysql", "PHP's way to the database"},
    {"mariadbd", "/usr/sbin/mariadbd", "mariadb-server", "its database"},
    {"ganesha.nfsd", "/usr/bin/ganesha.nfsd", "nfs-ganesha", "its NFS server"},
    {"ganesha's VFS", "/usr/lib/*/ganesha/libfsalvfs.so", "nfs-ganesha-vfs", "the NFS server's way to files"},
    {"chromium-headless-shell", "/usr/bin/chromium-headless-shell", "chromium-headless-shell",
     "the browser of tests and pictures"},
};

bool exists(const char* pattern) {
  glob_t found{};
  const bool is_there = glob(pattern, GLOB_NOSORT, nullptr, &found) == 0;
  globfree(&found);
  return is_there;
}

Requirement check_piece(const Piece& piece) {
  return {.name = piece.name,
          .is_met = exists(piece.file),
          .is_needed = false,
          .package = piece.package,
          .remark = piece.used_for};
}

bool kernel_has(std::string_view file_system) {
  std::istringstream words(read_file("/proc/filesystems").value_or(""));
  for (std::string word; words >> word;) {
    if (word == file_system) return true;
  }
  return false;
}

// A module that is there but not loaded counts: the lab loads it.
bool kernel_can_have(const std::string& file_system) {
  if (kernel_has(file_system)) return true;
  const auto found =
      run({.argv = {"modprobe", "-n", "-q", file_system}, .environment = tool_environment(), .input = ""});
  return found && found->exit_status == 0;
}

// real-server.sh chooses in this order.
Requirement check_nfs_client(const Project& project) {
  Requirement client{.name = "NFS client", .is_met = true, .is_needed = false, .package = "", .remark = ""};
  if (kernel_can_have("nfs")) {
    client.remark = "for WordPress's tree: the kernel's";
  } else if (access((project.bin + "/nfsmount").c_str(), X_OK) == 0 && kernel_can_have("fuse")) {
    client.remark = "for WordPress's tree: nfsmount, as this kernel has none";
  } else {
    client.is_met = false;
    client.package = "libfuse3-dev libnfs-dev";
    client.remark = "for WordPress's tree: this kernel has none; nfsmount needs these to be built, and FUSE";
  }
  return client;
}

}  // namespace

std::vector<Requirement> check_wordpress_requirements(const Project& project) {
  std::vector<Requirement> all;
  for (const Piece& piece : pieces) all.push_back(check_piece(piece));
  all.push_back(check_nfs_client(project));
  return all;
}

}  // namespace penstock::lab
