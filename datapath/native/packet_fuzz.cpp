// Any bytes as a frame, through the packet path. The corpus beside this file is named after what its frames are;
// packet_corpus_test.cpp goes through it in every test run.
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "tests/packets/any_frame.hpp"

namespace {

void expect_no_complaint(penstock::packets::View frame) {
  static penstock::packets::AnyFrame director;  // to make one takes hundreds of times as long as to ask it
  const auto complaint = director.complaint(frame);
  if (complaint.empty()) return;
  std::fprintf(stderr, "%s\n", complaint.c_str());
  __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::size_t longest = 4096;  // nothing looks further into a frame than that
  penstock::packets::Bytes frame(data, data + std::min(size, longest));
  expect_no_complaint(frame);
  penstock::packets::repair_ipv4_checksum(frame);  // the fuzzer can't guess it
  expect_no_complaint(frame);
  return 0;
}
