#include "tests/hops/capture_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace penstock::hops {
namespace {

// pcap-savefile(5)
struct FileHeader {
  std::uint32_t magic;
  std::uint16_t version_major;
  std::uint16_t version_minor;
  std::uint32_t reserved[2];
  std::uint32_t length_max;
  std::uint32_t link_type;
};

struct FrameHeader {
  std::uint32_t seconds;
  std::uint32_t fraction;
  std::uint32_t length;
  std::uint32_t length_on_wire;
};

constexpr std::uint32_t magic_microseconds = 0xa1b2c3d4;
constexpr std::uint32_t magic_nanoseconds = 0xa1b23c4d;
constexpr std::uint32_t link_type_ethernet = 1;
constexpr std::uint64_t second_ns = 1'000'000'000;

template <typename Header>
bool take(golden::View& rest, Header& header) {
  if (rest.size() < sizeof header) return false;
  std::memcpy(&header, rest.data(), sizeof header);
  rest = rest.subspan(sizeof header);
  return true;
}

}  // namespace

Result<std::vector<CapturedFrame>> parse_capture(golden::View file) {
  FileHeader header{};
  std::vector<CapturedFrame> frames;
  if (file.empty()) return frames;  // tcpdump has not begun yet
  const bool is_known = take(file, header) && (header.magic == magic_microseconds || header.magic == magic_nanoseconds);
  if (!is_known || header.link_type != link_type_ethernet)
    return fail(ErrorCode::invalid_argument, "no little-endian pcap file of Ethernet frames");
  const std::uint64_t fraction_ns = header.magic == magic_nanoseconds ? 1 : 1000;
  for (FrameHeader frame{}; take(file, frame) && frame.length <= file.size(); file = file.subspan(frame.length)) {
    if (frame.length != frame.length_on_wire)
      return fail(ErrorCode::invalid_argument, "frames are cut short: capture with tcpdump -s 0");
    const golden::View bytes = file.first(frame.length);
    frames.push_back({.time_ns = frame.seconds * second_ns + frame.fraction * fraction_ns,
                      .bytes = golden::Bytes(bytes.begin(), bytes.end())});
  }
  return frames;
}

Result<std::vector<CapturedFrame>> read_capture(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail_errno("reading " + path, errno);
  const golden::Bytes bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  auto frames = parse_capture(bytes);
  if (!frames) return with_context(path, std::move(frames.error()));
  return frames;
}

}  // namespace penstock::hops
