#include "tests/hops/capture_file.hpp"

#include <gmock/gmock.h>

namespace penstock::hops {
namespace {

using golden::Bytes;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

void append_little32(Bytes& bytes, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

Bytes file_header(std::uint32_t magic = 0xa1b2c3d4, std::uint32_t link_type = 1) {
  Bytes bytes;
  for (const std::uint32_t word : {magic, 0x00040002U, 0U, 0U, 262144U, link_type}) append_little32(bytes, word);
  return bytes;
}

void append_frame(Bytes& file, std::uint32_t fraction, const Bytes& frame, std::uint32_t length_on_wire) {
  for (const std::uint32_t word : {7U, fraction, static_cast<std::uint32_t>(frame.size()), length_on_wire})
    append_little32(file, word);
  golden::append(file, frame);
}

auto frame_is(std::uint64_t time_ns, const Bytes& bytes) {
  return testing::AllOf(Field(&CapturedFrame::time_ns, time_ns), Field(&CapturedFrame::bytes, bytes));
}

TEST(CaptureFile, gives_frames_with_their_times) {
  Bytes microseconds = file_header();
  append_frame(microseconds, 5, {1, 2, 3}, 3);
  append_frame(microseconds, 6, {4}, 1);
  EXPECT_THAT(parse_capture(microseconds).value(),
              ElementsAre(frame_is(7'000'005'000, {1, 2, 3}), frame_is(7'000'006'000, {4})));
  Bytes nanoseconds = file_header(0xa1b23c4d);
  append_frame(nanoseconds, 5, {1}, 1);
  EXPECT_THAT(parse_capture(nanoseconds).value(), ElementsAre(frame_is(7'000'000'005, {1})));
}

TEST(CaptureFile, may_be_cut_at_every_length_within_a_frame) {
  Bytes file = file_header();
  const std::size_t header = file.size();
  append_frame(file, 5, {1, 2, 3}, 3);
  for (std::size_t size = header; size < file.size(); ++size)
    EXPECT_THAT(parse_capture(golden::View(file).first(size)).value(), IsEmpty()) << size;
  EXPECT_THAT(parse_capture({}).value(), IsEmpty());
  for (std::size_t size = 1; size < header; ++size) EXPECT_FALSE(parse_capture(golden::View(file).first(size))) << size;
}

TEST(CaptureFile, of_another_kind_is_refused) {
  EXPECT_FALSE(parse_capture(file_header(0xd4c3b2a1)));       // the other byte order
  EXPECT_FALSE(parse_capture(file_header(0xa1b2c3d4, 113)));  // "any" interface
  Bytes cut = file_header();
  append_frame(cut, 5, {1, 2, 3}, 1500);
  EXPECT_FALSE(parse_capture(cut));
}

}  // namespace
}  // namespace penstock::hops
