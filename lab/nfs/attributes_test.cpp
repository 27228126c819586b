#include "lab/nfs/attributes.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "lab/nfs/fuse.hpp"

namespace penstock::lab {
namespace {

TEST(NfsAttributes, become_what_stat_shows) {
  fattr3 attributes{};
  attributes.type = NF3REG;
  attributes.mode = 04755;
  attributes.nlink = 2;
  attributes.uid = 65534;
  attributes.gid = 33;
  attributes.size = 5'000'000'000;
  attributes.used = 513;
  attributes.fileid = 42;
  attributes.mtime = {.seconds = 7, .nseconds = 8};
  const struct stat status = to_stat(attributes);
  EXPECT_EQ(status.st_mode, mode_t{S_IFREG | 04755});
  EXPECT_EQ(status.st_nlink, 2U);
  EXPECT_EQ(status.st_uid, 65534U);
  EXPECT_EQ(status.st_gid, 33U);
  EXPECT_EQ(status.st_size, 5'000'000'000);
  EXPECT_EQ(status.st_blocks, 2);
  EXPECT_EQ(status.st_ino, 42U);
  EXPECT_EQ(status.st_mtim.tv_sec, 7);
  EXPECT_EQ(status.st_mtim.tv_nsec, 8);
}

TEST(NfsAttributes, every_type_of_file_has_its_bits) {
  const std::pair<ftype3, mode_t> types[] = {{NF3REG, S_IFREG}, {NF3DIR, S_IFDIR}, {NF3BLK, S_IFBLK},
                                             {NF3CHR, S_IFCHR}, {NF3LNK, S_IFLNK}, {NF3SOCK, S_IFSOCK},
                                             {NF3FIFO, S_IFIFO}};
  for (const auto& [type, bits] : types) {
    fattr3 attributes{};
    attributes.type = type;
    EXPECT_EQ(to_stat(attributes).st_mode, bits);
  }
}

TEST(NfsAttributes, only_what_is_to_be_set_is_set) {
  struct stat wanted{};
  wanted.st_mode = S_IFREG | 0640;
  wanted.st_size = 9;
  wanted.st_mtim = {.tv_sec = 3, .tv_nsec = 4};
  const sattr3 nothing = to_changes(wanted, 0);
  EXPECT_FALSE(nothing.mode.set_it || nothing.uid.set_it || nothing.gid.set_it || nothing.size.set_it);
  EXPECT_EQ(nothing.atime.set_it, DONT_CHANGE);
  EXPECT_EQ(nothing.mtime.set_it, DONT_CHANGE);

  const sattr3 some = to_changes(wanted, FUSE_SET_ATTR_SIZE | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_ATIME_NOW);
  EXPECT_FALSE(some.mode.set_it);
  EXPECT_EQ(some.size.set_size3_u.size, 9U);
  EXPECT_EQ(some.atime.set_it, SET_TO_SERVER_TIME);
  EXPECT_EQ(some.mtime.set_it, SET_TO_CLIENT_TIME);
  EXPECT_EQ(some.mtime.set_mtime_u.mtime.nseconds, 4U);
  EXPECT_EQ(with_mode(S_IFREG | 0640).mode.set_mode3_u.mode, 0640U);
}

}  // namespace
}  // namespace penstock::lab
