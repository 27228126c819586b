#include "tests/golden/compare_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <sstream>
#include <vector>

namespace penstock::golden {

namespace {

using Lines = std::vector<std::string>;

Lines split_lines(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  if (!text.empty() && text.back() != '\n') lines.back() += "\\ no newline";
  return lines;
}

std::vector<std::string> split_words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

Differences compare_lines(std::string_view where, const Lines& want, const Lines& got) {
  Differences differences;
  for (std::size_t i = 0; i < std::max(want.size(), got.size()); ++i) {
    const std::string wanted = i < want.size() ? want[i] : "";
    const std::string given = i < got.size() ? got[i] : "";
    if (i < want.size() && i < got.size() && wanted == given) continue;
    differences.push_back({fmt::format("{} line {}", where, i + 1), wanted, given});
  }
  return differences;
}

bool begins_service(const std::string& line) {
  return line.starts_with("TCP ") || line.starts_with("UDP ") || line.starts_with("SCTP ") || line.starts_with("FWM ");
}

// Services stand in the order of the kernel's hash, which mixes in a pointer; servers keep theirs within their service.
Lines with_sorted_services(const Lines& lines) {
  Lines result;
  std::vector<Lines> blocks;
  for (const std::string& line : lines) {
    if (begins_service(line)) {
      blocks.push_back({line});
    } else if (blocks.empty()) {
      result.push_back(line);
    } else {
      blocks.back().push_back(line);
    }
  }
  std::sort(blocks.begin(), blocks.end());
  for (const Lines& block : blocks) result.insert(result.end(), block.begin(), block.end());
  return result;
}

// The default of sync_qlen_max goes with the machine's memory; here it was 3897.
bool is_free_default(std::string_view command, const std::string& want, const std::string& got) {
  constexpr std::string_view name = "sync_qlen_max: ";
  if (want.starts_with(name)) return got.starts_with(name);
  const auto is_number = [](const std::string& line) {
    return !line.empty() && line.find_first_not_of("0123456789") == std::string::npos;
  };
  return command.find("sync_qlen_max") != std::string_view::npos && want == "3897" && is_number(got);
}

std::optional<std::uint64_t> number(const std::string& word, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

bool rates_agree(std::uint64_t a, std::uint64_t b) {
  const auto apart = static_cast<double>(std::max(a, b) - std::min(a, b));
  return apart <= 2 + rate_tolerance * static_cast<double>(std::max(a, b));
}

bool rate_lines_agree(const std::string& want, const std::string& got, int base) {
  const auto wanted = split_words(want);
  const auto given = split_words(got);
  return std::equal(wanted.begin(), wanted.end(), given.begin(), given.end(), [base](const auto& a, const auto& b) {
    const auto first = number(a, base);
    const auto second = number(b, base);
    return first && second ? rates_agree(*first, *second) : a == b;
  });
}

Differences compare_rates(std::string_view where, const Lines& want, const Lines& got, std::size_t from, int base) {
  Differences differences;
  for (auto& difference : compare_lines(where, want, got)) {
    const std::size_t line = std::stoul(difference.where.substr(difference.where.rfind(' ') + 1)) - 1;
    const bool both = line < want.size() && line < got.size();
    if (both && line >= from && rate_lines_agree(want[line], got[line], base)) continue;
    differences.push_back(std::move(difference));
  }
  return differences;
}

struct ConnectionLine {
  std::string key;  // protocol, client, virtual address, server, persistence data: the sorting order
  std::string state;
  int expires_s = 0;

  friend auto operator<=>(const ConnectionLine&, const ConnectionLine&) = default;
};

std::optional<ConnectionLine> parse_connection(const std::string& line) {
  const auto words = split_words(line);
  int minutes = 0;
  int seconds = 0;
  if (words.size() < 6 || std::sscanf(words[1].c_str(), "%d:%d", &minutes, &seconds) != 2) return std::nullopt;
  ConnectionLine connection{.key = words[0], .state = words[2], .expires_s = minutes * 60 + seconds};
  for (std::size_t i = 3; i < words.size(); ++i) connection.key += " " + words[i];
  return connection;
}

struct ConnectionListing {
  std::vector<ConnectionLine> connections;  // sorted
  Lines others;
};

ConnectionListing parse_listing(const std::string& text) {
  ConnectionListing listing;
  for (const std::string& line : split_lines(text)) {
    if (const auto connection = parse_connection(line)) {
      listing.connections.push_back(*connection);
    } else {
      listing.others.push_back(line);
    }
  }
  std::sort(listing.connections.begin(), listing.connections.end());
  return listing;
}

std::string to_text(const ConnectionLine& line) {
  return fmt::format("{} {} {:02}:{:02}", line.key, line.state, line.expires_s / 60, line.expires_s % 60);
}

bool agree(const ConnectionLine& want, const ConnectionLine& got) {
  return want.key == got.key && want.state == got.state &&
         std::abs(want.expires_s - got.expires_s) <= expiry_tolerance_s;
}

}  // namespace

Differences compare_text(std::string_view where, std::string_view command, const std::string& want,
                         const std::string& got) {
  const auto mentions = [command](std::string_view word) { return command.find(word) != std::string_view::npos; };
  Lines wanted = split_lines(want);
  Lines given = split_lines(got);
  if (mentions("--nosort") || mentions("/proc/net/ip_vs")) {
    wanted = with_sorted_services(wanted);
    given = with_sorted_services(given);
  }
  for (std::size_t i = 0; i < std::min(wanted.size(), given.size()); ++i) {
    if (is_free_default(command, wanted[i], given[i])) given[i] = wanted[i];
  }
  if (mentions("--rate")) return compare_rates(where, wanted, given, 0, 10);
  return compare_lines(where, wanted, given);
}

Differences compare_connections(const std::string& want, const std::string& got) {
  ConnectionListing wanted = parse_listing(want);
  ConnectionListing given = parse_listing(got);
  Differences differences = compare_lines("stdout", wanted.others, given.others);
  // Pairs that agree go first; what stays over on either side differs.
  for (auto line = wanted.connections.begin(); line != wanted.connections.end();) {
    const auto match = std::find_if(given.connections.begin(), given.connections.end(),
                                    [&](const ConnectionLine& other) { return agree(*line, other); });
    if (match == given.connections.end()) {
      ++line;
    } else {
      given.connections.erase(match);
      line = wanted.connections.erase(line);
    }
  }
  for (const auto& line : wanted.connections) {
    const auto same_key = std::find_if(given.connections.begin(), given.connections.end(),
                                       [&](const ConnectionLine& other) { return other.key == line.key; });
    if (same_key == given.connections.end()) {
      differences.push_back({"connections", to_text(line), ""});
    } else {
      differences.push_back({"connections", to_text(line), to_text(*same_key)});
      given.connections.erase(same_key);
    }
  }
  for (const auto& line : given.connections) differences.push_back({"connections", "", to_text(line)});
  return differences;
}

Differences compare_file(std::string_view path, const std::string& want, const std::string& got) {
  if (path == "/proc/net/ip_vs_stats") return compare_proc_stats(want, got);
  return compare_text("stdout", path, want, got);
}

Differences compare_proc_stats(const std::string& want, const std::string& got) {
  const Lines wanted = split_lines(want);
  const Lines given = split_lines(got);
  const auto rates = std::find_if(wanted.begin(), wanted.end(),
                                  [](const std::string& line) { return line.find("Conns/s") != std::string::npos; });
  return compare_rates("stdout", wanted, given, static_cast<std::size_t>(rates - wanted.begin()), 16);
}

}  // namespace penstock::golden
