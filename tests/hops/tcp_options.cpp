#include "tests/hops/tcp_options.hpp"

#include <fmt/format.h>

#include <charconv>

#include "tests/golden/sync_message.hpp"

namespace penstock::hops {
namespace {

enum Kind : std::uint8_t {
  end = 0,
  nothing = 1,
  segment_size = 2,
  window_scale = 3,
  sack_permitted = 4,
  timestamps = 8,
  toa = 254
};

golden::Bytes from_hex(const std::string& text) {
  golden::Bytes bytes;
  for (std::size_t i = 0; i + 2 <= text.size(); i += 2) {
    std::uint8_t byte = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    bytes.push_back(byte);
  }
  return bytes;
}

std::string client_of(golden::View option, const PortName& port_name) {
  const std::string port = port_name(golden::read16(option, 2));
  const std::string address = golden::address_text(option.subspan(4));
  return option.size() == 8 ? fmt::format("TOA {}:{}", address, port) : fmt::format("TOA [{}]:{}", address, port);
}

std::string in_words(golden::View option, const PortName& port_name) {
  switch (option[0]) {
    case segment_size:
      return option.size() == 4 ? fmt::format("mss {}", golden::read16(option, 2)) : "mss ?";
    case window_scale:
      return "wscale";
    case sack_permitted:
      return "sackOK";
    case timestamps:
      return "timestamps";
    case toa:
      return option.size() == 8 || option.size() == 20 ? client_of(option, port_name) : "TOA ?";
    default:
      return fmt::format("option {}", option[0]);
  }
}

}  // namespace

std::vector<std::string> tcp_options_in_words(const std::string& options, const PortName& port_name) {
  std::vector<std::string> words;
  const golden::Bytes bytes = from_hex(options);
  for (std::size_t at = 0; at < bytes.size() && bytes[at] != end;) {
    if (bytes[at] == nothing) {
      ++at;
      continue;
    }
    const std::size_t length = at + 1 < bytes.size() ? bytes[at + 1] : 0;
    if (length < 2 || at + length > bytes.size()) return words;
    words.push_back(in_words(golden::View(bytes).subspan(at, length), port_name));
    at += length;
  }
  return words;
}

}  // namespace penstock::hops
