// Whatever arrives on the socket, from either side: refused, or understood the same way when said again. The first byte of
// the input chooses the direction.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/codec.hpp"

namespace {

template <typename Decode, typename Encode>
void say_again(std::string_view text, Decode decode, Encode encode) {
  const auto first = decode(text);
  if (!first) return;
  const std::string said = encode(*first);
  const auto second = decode(said);
  if (!second || encode(*second) != said) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace penstock::api;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'q')
    say_again(text, decode_request, encode_request);
  else
    say_again(text, decode_reply, encode_reply);
  return 0;
}
