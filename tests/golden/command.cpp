#include "tests/golden/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "cli/ipvsadm.hpp"

namespace penstock::golden {

namespace {

// The machine on which the recordings were made had no name server; of its /etc/services, what the recordings use.
class RecordedNames final : public cli::Names {
 public:
  [[nodiscard]] std::optional<model::Address> address_of_host(const std::string&) const override {
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::string> host_of_address(const model::Address&) const override {
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::uint16_t> port_of_service(const std::string& service,
                                                             model::Protocol) const override {
    for (const auto& [name, port] : services) {
      if (service == name) return port;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::string> service_of_port(std::uint16_t port, model::Protocol) const override {
    for (const auto& [name, number] : services) {
      if (port == number) return name;
    }
    return std::nullopt;
  }

 private:
  static constexpr std::array<std::pair<const char*, std::uint16_t>, 6> services = {
      {{"ftp", 21}, {"domain", 53}, {"http", 80}, {"https", 443}, {"sip", 5060}, {"http-alt", 8080}}};
};

// ipvsadm refuses these by itself: a director has no call that it could ask.
bool is_for_sync_daemon(const std::vector<std::string>& words) {
  static constexpr std::array options = {"--start-daemon", "--stop-daemon"};
  return std::find_first_of(words.begin(), words.end(), options.begin(), options.end()) != words.end();
}

}  // namespace

std::vector<std::string> split_command(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

Result<StepResult> run_ipvsadm(const std::vector<std::string>& words, const std::string& input,
                               api::Director& director) {
  if (is_for_sync_daemon(words)) return fail(ErrorCode::unsupported, "the synchronisation daemon");
  static const RecordedNames names;
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  const int status = cli::run_ipvsadm(words, in, out, err, director, names);
  return StepResult{.status = status & 0xff, .output = out.str(), .error = err.str()};
}

}  // namespace penstock::golden
