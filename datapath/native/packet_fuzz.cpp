// Any bytes as a frame, through the packet path. The corpus beside this file is named after what its frames are;
// packet_corpus_test.cpp goes through it in every test run.
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "tests/packets/any_frame.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::size_t longest = 4096;  // nothing looks further into a frame than that
  penstock::packets::AnyFrame director;
  const auto complaint = director.complaint({data, std::min(size, longest)});
  if (!complaint.empty()) {
    std::fprintf(stderr, "%s\n", complaint.c_str());
    __builtin_trap();
  }
  return 0;
}
