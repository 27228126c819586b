#include "model/prefix.hpp"

#include <charconv>

namespace penstock::model {
namespace {

std::optional<std::uint8_t> parse_length(std::string_view text, Family family) {
  std::uint8_t length = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (problem != std::errc() || end != text.data() + text.size() || length > prefix_length_max(family))
    return std::nullopt;
  return length;
}

}  // namespace

Prefix any_address(Family family) { return {.address = {.family = family, .bytes = {}}, .length = 0}; }

Prefix make_prefix(const Address& address, std::uint8_t length) {
  Prefix made{address, length};
  for (unsigned i = 0; i < made.address.bytes.size(); ++i) {
    const unsigned kept = length > 8 * i ? length - 8 * i : 0;
    if (kept < 8) made.address.bytes[i] &= static_cast<std::uint8_t>(0xff00U >> kept);
  }
  return made;
}

bool contains(const Prefix& prefix, const Address& address) {
  return prefix.address.family == address.family && make_prefix(address, prefix.length) == prefix;
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return make_prefix(*address, prefix_length_max(address->family));
  const auto length = parse_length(text.substr(slash + 1), address->family);
  if (!length) return std::nullopt;
  return make_prefix(*address, *length);
}

std::string to_string(const Prefix& prefix) {
  const std::string address = to_string(prefix.address);
  if (prefix.length == prefix_length_max(prefix.address.family)) return address;
  return address + "/" + std::to_string(prefix.length);
}

}  // namespace penstock::model
