#include "lab/nfs/attributes.hpp"

#include <sys/sysmacros.h>

#include "lab/nfs/fuse.hpp"

namespace penstock::lab {
namespace {

constexpr mode_t permission_bits = 07777;
constexpr std::uint64_t ns_per_s = 1'000'000'000;
constexpr std::uint64_t block_size = 512;  // stat(2): st_blocks

mode_t type_bits(ftype3 type) {
  switch (type) {
    case NF3REG:
      return S_IFREG;
    case NF3DIR:
      return S_IFDIR;
    case NF3BLK:
      return S_IFBLK;
    case NF3CHR:
      return S_IFCHR;
    case NF3LNK:
      return S_IFLNK;
    case NF3SOCK:
      return S_IFSOCK;
    case NF3FIFO:
      return S_IFIFO;
  }
  return 0;
}

timespec to_timespec(const nfstime3& time) { return {.tv_sec = time.seconds, .tv_nsec = time.nseconds}; }

nfstime3 to_nfstime(const timespec& time) {
  return {.seconds = static_cast<u_int>(time.tv_sec), .nseconds = static_cast<u_int>(time.tv_nsec)};
}

std::uint64_t in_ns(const nfstime3& time) { return time.seconds * ns_per_s + time.nseconds; }

time_how how_to_set(int to_set, int now, int given) {
  if (to_set & now) return SET_TO_SERVER_TIME;
  return to_set & given ? SET_TO_CLIENT_TIME : DONT_CHANGE;
}

}  // namespace

struct stat to_stat(const fattr3& attributes) {
  struct stat status{};
  status.st_ino = attributes.fileid;
  status.st_mode = type_bits(attributes.type) | (attributes.mode & permission_bits);
  status.st_nlink = attributes.nlink;
  status.st_uid = attributes.uid;
  status.st_gid = attributes.gid;
  status.st_rdev = makedev(attributes.rdev.specdata1, attributes.rdev.specdata2);
  status.st_size = static_cast<off_t>(attributes.size);
  status.st_blocks = static_cast<blkcnt_t>((attributes.used + block_size - 1) / block_size);
  status.st_atim = to_timespec(attributes.atime);
  status.st_mtim = to_timespec(attributes.mtime);
  status.st_ctim = to_timespec(attributes.ctime);
  return status;
}

Version version_of(const fattr3& attributes) {
  return {.size = attributes.size, .mtime_ns = in_ns(attributes.mtime), .ctime_ns = in_ns(attributes.ctime)};
}

sattr3 to_changes(const struct stat& wanted, int to_set) {
  sattr3 changes{};
  changes.mode.set_it = (to_set & FUSE_SET_ATTR_MODE) != 0;
  changes.mode.set_mode3_u.mode = wanted.st_mode & permission_bits;
  changes.uid.set_it = (to_set & FUSE_SET_ATTR_UID) != 0;
  changes.uid.set_uid3_u.uid = wanted.st_uid;
  changes.gid.set_it = (to_set & FUSE_SET_ATTR_GID) != 0;
  changes.gid.set_gid3_u.gid = wanted.st_gid;
  changes.size.set_it = (to_set & FUSE_SET_ATTR_SIZE) != 0;
  changes.size.set_size3_u.size = static_cast<size3>(wanted.st_size);
  changes.atime.set_it = how_to_set(to_set, FUSE_SET_ATTR_ATIME_NOW, FUSE_SET_ATTR_ATIME);
  changes.atime.set_atime_u.atime = to_nfstime(wanted.st_atim);
  changes.mtime.set_it = how_to_set(to_set, FUSE_SET_ATTR_MTIME_NOW, FUSE_SET_ATTR_MTIME);
  changes.mtime.set_mtime_u.mtime = to_nfstime(wanted.st_mtim);
  return changes;
}

sattr3 with_mode(mode_t mode) {
  struct stat wanted{};
  wanted.st_mode = mode;
  return to_changes(wanted, FUSE_SET_ATTR_MODE);
}

}  // namespace penstock::lab
