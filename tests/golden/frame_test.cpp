#include "tests/golden/frame.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace penstock::golden {
namespace {

using Json = nlohmann::json;

Bytes bytes_of(const std::string& hex) {
  Bytes bytes;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(at, 2), nullptr, 16)));
  }
  return bytes;
}

// The recordings carry fields that another decoder read when they were made.
TEST(Frame, decodes_every_recorded_frame_as_it_was_decoded_when_recorded) {
  std::size_t frames = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PENSTOCK_SOURCE_DIR "/tests/golden/recordings")) {
    std::ifstream stream(entry.path());
    const Json recording = Json::parse(stream);
    for (const Json& step : recording.at("steps")) {
      for (const Json& out : step.value("out", Json::array())) {
        const Json decoded = Json::parse(decode_frame(bytes_of(out.at("hex"))).dump());
        ASSERT_EQ(decoded, out.at("dec")) << entry.path() << "\n" << Json::diff(out.at("dec"), decoded).dump(1);
        ++frames;
      }
    }
  }
  EXPECT_GT(frames, 2000U);
}

TEST(Frame, survives_truncation_at_every_length) {
  for (const char* name :
       {"tungre-tcp-basic-p", "icmp-from-client-dr-tcp6-p", "frag-tun-udp6-p", "sctp-dr-normal-p", "ipopts-tos-p"}) {
    std::ifstream stream(std::string(PENSTOCK_SOURCE_DIR "/tests/golden/recordings/") + name + ".json");
    const Json recording = Json::parse(stream);
    for (const Json& step : recording.at("steps")) {
      if (!step.contains("in_hex")) continue;
      const Bytes frame = bytes_of(step.at("in_hex"));
      for (std::size_t length = 0; length < frame.size(); ++length) {
        EXPECT_FALSE(describe(decode_frame(View(frame).first(length))).empty());
      }
    }
  }
}

TEST(Frame, tells_a_wrong_checksum_from_a_right_one) {
  Bytes frame = bytes_of(
      "0200000001010200000001fe08004500002c00640000400645cfc63364010a01006403e80050000003e8000000006002ffff5b6d00000204"
      "05b4");
  EXPECT_EQ(decode_frame(frame)["ip"]["tcp"]["csum_ok"], true);
  EXPECT_EQ(decode_frame(frame)["ip"]["hcsum_ok"], true);
  frame.back() ^= 1;
  EXPECT_EQ(decode_frame(frame)["ip"]["tcp"]["csum_ok"], false);
  frame[22] ^= 1;  // TTL
  EXPECT_EQ(decode_frame(frame)["ip"]["hcsum_ok"], false);
}

TEST(Frame, says_in_one_line_what_matters) {
  const Bytes frame = bytes_of(
      "0200000001010200000001fe08004500002c00640000400645cfc63364010a01006403e80050000003e8000000006002ffff5b6d00000204"
      "05b4");
  EXPECT_EQ(describe(decode_frame(frame)),
            "02:00:00:00:01:fe > 02:00:00:00:01:01 198.51.100.1 > 10.1.0.100 tcp ttl 64 tos 0 id 100 len 44 "
            "tcp 1000>80 [S] seq 1000 ack 0");
}

}  // namespace
}  // namespace penstock::golden
