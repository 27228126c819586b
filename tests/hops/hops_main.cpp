// hops: what a TCP connection's first three packets look like on each network that they cross, as a table. docs/packets/capture.sh uses it.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "tests/hops/packet_table.hpp"

namespace penstock::hops {
namespace {

constexpr const char* usage =
    "usage: hops --title TEXT --hosts FILE [--port N]... NETWORK=PCAP...\n"
    "\n"
    "  --hosts FILE   lines of a MAC address and a host's name\n"
    "  --port N       a port that is printed as a number\n"
    "\n"
    "Exit status: 0 printed, 1 the captures are wrong, 2 usage, 3 the handshake is not whole yet.\n";

constexpr int failed_status = 1;
constexpr int usage_status = 2;
constexpr int incomplete_status = 3;

struct Options {
  TableOptions table;
  std::vector<NetworkCapture> captures;
};

Result<std::map<std::string, std::string>> read_hosts(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail_errno("reading " + path, errno);
  std::map<std::string, std::string> hosts;
  for (std::string mac, host; file >> mac >> host;) hosts[mac] = host;
  return hosts;
}

Result<void> take_option(Options& options, const std::string& name, const std::string& value) {
  if (name == "--title") {
    options.table.title = value;
  } else if (name == "--hosts") {
    auto hosts = read_hosts(value);
    if (!hosts) return fail(hosts.error());
    options.table.hosts = *std::move(hosts);
  } else if (name == "--port") {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), port);
    if (error != std::errc() || end != value.data() + value.size())
      return fail(ErrorCode::invalid_argument, "--port: no port: " + value);
    options.table.known_ports.push_back(port);
  } else {
    return fail(ErrorCode::invalid_argument, "unknown option " + name);
  }
  return {};
}

Result<void> take_capture(Options& options, const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == word.npos) return fail(ErrorCode::invalid_argument, "not NETWORK=PCAP: " + word);
  auto frames = read_capture(word.substr(equals + 1));
  if (!frames) return fail(frames.error());
  options.captures.push_back({.network = word.substr(0, equals), .frames = *std::move(frames)});
  return {};
}

Result<Options> parse(const std::vector<std::string>& words) {
  Options options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool is_option = words[i].starts_with("--");
    if (is_option && i + 1 == words.size()) return fail(ErrorCode::invalid_argument, words[i] + " wants a value");
    const auto taken = is_option ? take_option(options, words[i], words[i + 1]) : take_capture(options, words[i]);
    if (!taken) return fail(taken.error());
    if (is_option) ++i;
  }
  if (options.captures.empty()) return fail(ErrorCode::invalid_argument, "no captures");
  return options;
}

int complain(const Error& error, int status) {
  fmt::print(stderr, "hops: {}\n", error.message);
  return status;
}

int run(const std::vector<std::string>& words) {
  const auto options = parse(words);
  if (!options) {
    fmt::print(stderr, "{}", usage);
    return complain(options.error(), usage_status);
  }
  const auto handshake = find_handshake(options->captures);
  if (!handshake)
    return complain(handshake.error(),
                    handshake.error().code == ErrorCode::not_found ? incomplete_status : failed_status);
  fmt::print("{}", packet_table(*handshake, options->table));
  return 0;
}

}  // namespace
}  // namespace penstock::hops

int main(int count, char** words) { return penstock::hops::run({words + 1, words + count}); }
