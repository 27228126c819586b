#include "agent/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/journal_file.hpp"

namespace penstock::agent {
namespace {

namespace fs = std::filesystem;

const HostIdentity here{"boot-1", "4711"};

const Journal journal{.purpose = "tunnel: 192.0.2.40",
                      .changes = {{{Kind::sysctl, "net.ipv4.conf.all.arp_ignore"}, "0", "1", {}},
                                  {{Kind::clsact, "eth0"}, absent, present, {}},
                                  {{Kind::xdp, "eth0"}, none, "pen_decap_xdp 57", "vips 192.0.2.40"},
                                  {{Kind::tc_in, "eth1"}, none, "pen_decap_tc 58", "vips 192.0.2.40"},
                                  {{Kind::tc_out, "eth1"}, none, "pen_clamp_mss 59", "mss 0"},
                                  {{Kind::cgroup, "sock_ops"}, none, "pen_toa 60", "from 10.9.0.0/24"},
                                  {{Kind::route, "192.0.2.40"}, present, present, {}},
                                  {{Kind::address, "2001:db8::40"}, absent, present, {}}}};

TEST(Journal, comes_back_as_it_was_written) {
  const auto read = decode(encode(journal, here), here);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, journal);
}

TEST(Journal, of_another_boot_or_namespace_is_none) {
  const std::string text = encode(journal, here);
  EXPECT_EQ(decode(text, {"boot-2", "4711"}).value(), std::nullopt);
  EXPECT_EQ(decode(text, {"boot-1", "4712"}).value(), std::nullopt);
}

TEST(Journal, that_is_damaged_is_an_error_at_every_length) {
  const std::string text = encode(journal, here);
  for (std::size_t length = 0; length + 2 < text.size(); ++length)
    EXPECT_FALSE(decode(text.substr(0, length), here)) << length;
  std::string strange = text;
  strange.replace(strange.find("\"sysctl\""), 8, "\"sisctl\"");
  EXPECT_FALSE(decode(strange, here));
  EXPECT_FALSE(decode(R"({"version": 2})", here));
}

class JournalOnDisk : public testing::Test {
 protected:
  JournalOnDisk() { fs::remove_all(directory_); }
  ~JournalOnDisk() override { fs::remove_all(directory_); }

  [[nodiscard]] JournalFile open() const { return std::move(*JournalFile::open(here, directory_)); }

  const std::string directory_ = fs::temp_directory_path() / ("journal_test." + std::to_string(getpid()));
};

TEST_F(JournalOnDisk, is_saved_loaded_and_removed) {
  const JournalFile file = open();
  EXPECT_EQ(file.load().value(), std::nullopt);
  ASSERT_TRUE(file.save(journal));
  EXPECT_EQ(file.load().value(), journal);
  ASSERT_TRUE(file.remove());
  ASSERT_TRUE(file.remove());
  EXPECT_EQ(file.load().value(), std::nullopt);
}

TEST_F(JournalOnDisk, names_the_file_that_makes_no_sense) {
  const JournalFile file = open();
  std::ofstream(file.path()) << "{";
  EXPECT_THAT(file.load().error().message, testing::HasSubstr("reading " + file.path()));
}

TEST_F(JournalOnDisk, a_write_that_was_cut_off_leaves_the_former_one) {
  const JournalFile file = open();
  ASSERT_TRUE(file.save(journal));
  std::ofstream(file.path() + ".new") << "{";
  EXPECT_EQ(file.load().value(), journal);
}

}  // namespace
}  // namespace penstock::agent
