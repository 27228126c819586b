#include "control/ftp_text.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace penstock::control {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The text behind a word that it begins with, in whatever case.
std::optional<std::string_view> behind(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return std::nullopt;
  const auto same = [](char a, char b) { return small(a) == small(b); };
  if (!std::equal(word.begin(), word.end(), text.begin(), same)) return std::nullopt;
  return text.substr(word.size());
}

// A number that is not above `most`; the text is behind it afterwards.
std::optional<u32> take_number(std::string_view& text, u32 most) {
  u32 number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number > most) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// What an endpoint is named by, and where.
struct Named {
  AddressImage address;
  u16 port;
  std::string_view part;
};

std::string_view between(std::string_view begin, std::string_view end) {
  return begin.substr(0, static_cast<std::size_t>(end.data() - begin.data()));
}

// h1,h2,h3,h4,p1,p2. It begins behind `mark`, or with the first digit. Something must follow, or it may not be all.
std::optional<Named> named_by_six(std::string_view text, char mark) {
  const auto begin = std::ranges::find_if(text, [&](char c) { return c == mark || is_digit(c); });
  text.remove_prefix(static_cast<std::size_t>(begin - text.begin()));
  text.remove_prefix(std::min(text.find_first_not_of(mark), text.size()));
  std::string_view rest = text;
  std::array<u8, 6> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i != 0 && !take(rest, ',')) return std::nullopt;
    const auto number = take_number(rest, 255);
    if (!number) return std::nullopt;
    numbers[i] = static_cast<u8>(*number);
  }
  if (rest.empty()) return std::nullopt;
  Named named{.address = {}, .port = static_cast<u16>(numbers[4] << 8 | numbers[5]), .part = between(text, rest)};
  std::memcpy(&named.address, numbers.data(), 4);
  return named.port == 0 ? std::nullopt : std::optional(named);
}

std::optional<AddressImage> address_of(std::string_view text, Family family) {
  AddressImage address{};
  const int wanted = family == Family::ipv6 ? AF_INET6 : AF_INET;
  if (inet_pton(wanted, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return address;
}

// |family|address|port|, with any delimiter, behind `mark`. Family and address may be empty together where an announcement says so.
std::optional<Named> named_extended(std::string_view text, Family family, char mark, bool is_announcement) {
  text.remove_prefix(std::min(text.find(mark), text.size()));
  text.remove_prefix(std::min(text.find_first_not_of(mark), text.size()));
  if (text.empty() || text.front() < 33 || text.front() > 126) return std::nullopt;
  const char delimiter = text.front();
  std::string_view rest = text.substr(1);
  Named named{};
  if (take(rest, delimiter)) {
    if (!is_announcement || !take(rest, delimiter)) return std::nullopt;
  } else {
    if (!take(rest, family == Family::ipv6 ? '2' : '1') || !take(rest, delimiter)) return std::nullopt;
    const std::size_t end = rest.find(delimiter);
    if (end == std::string_view::npos) return std::nullopt;
    const auto address = address_of(rest.substr(0, end), family);
    if (!address) return std::nullopt;
    named.address = *address;
    rest.remove_prefix(end + 1);
  }
  const auto port = take_number(rest, 65535);
  if (!port || *port == 0 || !take(rest, delimiter)) return std::nullopt;
  named.port = static_cast<u16>(*port);
  named.part = between(text, rest);
  return named;
}

}  // namespace

std::optional<FtpAnnouncement> announcement_in(std::string_view text, Family family) {
  std::optional<Named> named;
  const auto extended = behind(text, "229 ");
  if (extended) named = named_extended(*extended, family, '(', true);
  if (const auto plain = behind(text, "227 "); plain && family == Family::ipv4) named = named_by_six(*plain, '(');
  if (!named) return std::nullopt;
  return FtpAnnouncement{.port = named->port,
                         .begin = static_cast<std::size_t>(named->part.data() - text.data()),
                         .length = named->part.size(),
                         .is_extended = extended.has_value()};
}

std::optional<FtpDataPort> data_port_in(std::string_view text, Family family) {
  std::optional<Named> named;
  if (const auto extended = behind(text, "EPRT")) named = named_extended(*extended, family, ' ', false);
  if (const auto plain = behind(text, "PORT"); plain && family == Family::ipv4) named = named_by_six(*plain, ' ');
  if (!named) return std::nullopt;
  return FtpDataPort{.address = named->address, .port = named->port};
}

std::string announced(const FtpAnnouncement& announcement, const AddressImage& address, u16 port) {
  if (announcement.is_extended) return fmt::format("|||{}|", port);
  const auto byte = [&](u32 i) { return address.low >> (i * 8) & 0xff; };
  return fmt::format("{},{},{},{},{},{}", byte(0), byte(1), byte(2), byte(3), port >> 8, port & 0xff);
}

}  // namespace penstock::control
