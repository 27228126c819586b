// The fuzzer's corpus, and what it found once, as a test.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/packets/any_frame.hpp"

namespace penstock {
namespace {

packets::Bytes bytes_in(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(PacketCorpus, every_frame_and_every_beginning_of_one_keeps_the_rules) {
  packets::AnyFrame director;
  u32 files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PENSTOCK_SOURCE_DIR "/datapath/native/packet_corpus")) {
    const packets::Bytes frame = bytes_in(entry.path());
    for (std::size_t length = 0; length <= frame.size(); ++length)
      ASSERT_EQ(director.complaint({frame.data(), length}), "") << entry.path() << " cut to " << length;
    ++files;
  }
  EXPECT_GT(files, 20U);
}

}  // namespace
}  // namespace penstock
