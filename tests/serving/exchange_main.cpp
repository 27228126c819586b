// exchange serve PORT…                                       answers in the background once it listens
// exchange tcp|udp ADDRESS PORT UPLOAD DOWNLOAD [FROM-PORT]  says "peer=… reached=… tries=…", or what was wrong
// exchange content SIZE                                      writes that much content, of seed 0
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>

#include "tests/serving/content.hpp"
#include "tests/serving/exchange.hpp"
#include "tests/serving/inet.hpp"

namespace penstock::serving {
namespace {

constexpr int exit_usage = 2;

template <typename Number>
std::optional<Number> number_in(const char* text) {
  Number number{};
  const char* end = text + std::strlen(text);
  const auto parsed = std::from_chars(text, end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return number;
}

int complain(const Error& error) {
  fmt::print(stderr, "exchange: {}\n", error.message);
  return 1;
}

int misuse() {
  fmt::print(stderr, "usage: exchange serve PORT… | tcp|udp ADDRESS PORT UPLOAD DOWNLOAD [FROM-PORT] | content SIZE\n");
  return exit_usage;
}

int command_serve(int count, char** words) {
  std::vector<std::uint16_t> ports;
  for (int i = 0; i < count; ++i) {
    const auto port = number_in<std::uint16_t>(words[i]);
    if (!port) return misuse();
    ports.push_back(*port);
  }
  const auto served = serve(ports, go_into_background);
  return served ? 0 : complain(served.error());
}

int command_content(const char* word) {
  const auto size = number_in<std::size_t>(word);
  if (!size) return misuse();
  std::vector<std::byte> bytes(*size);
  fill(bytes, 0, 0);
  return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() ? 0 : 1;
}

int command_exchange(Transport transport, int count, char** words) {
  const auto port = number_in<std::uint16_t>(words[1]);
  const auto upload = number_in<std::uint64_t>(words[2]);
  const auto download = number_in<std::uint64_t>(words[3]);
  const auto from_port = count == 5 ? number_in<std::uint16_t>(words[4]) : std::uint16_t{0};
  if (!port || !upload || !download || !from_port) return misuse();
  const auto report = make_exchange({.transport = transport,
                                     .address = words[0],
                                     .port = *port,
                                     .from_port = *from_port,
                                     .request = {.seed = *port + *upload, .upload = *upload, .download = *download}});
  if (!report) return complain(report.error());
  fmt::print("peer={} reached={} tries={}\n", report->peer, report->reached, report->tries);
  return 0;
}

int run(int count, char** words) {
  const std::string_view command = count > 1 ? words[1] : "";
  if (command == "serve" && count > 2) return command_serve(count - 2, words + 2);
  if (command == "content" && count == 3) return command_content(words[2]);
  if (count < 6 || count > 7) return misuse();
  if (command == "tcp") return command_exchange(Transport::tcp, count - 2, words + 2);
  if (command == "udp") return command_exchange(Transport::udp, count - 2, words + 2);
  return misuse();
}

}  // namespace
}  // namespace penstock::serving

int main(int count, char** words) { return penstock::serving::run(count, words); }
