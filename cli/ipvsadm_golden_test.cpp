// Every ipvsadm line of the recordings in tests/golden, without packets: exit codes and complaints, and the text of the scenarios that are
// about the command line.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/ipvsadm.hpp"
#include "cli/ipvsadm_fake_director.hpp"

namespace penstock::cli {
namespace {

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool runs(const nlohmann::json& step) {
  if (step.at("op") != "cmd") return false;
  const std::string line = step.at("cmd");
  return line.starts_with("ipvsadm") && line.find_first_of(";|<>&'\"$") == std::string::npos;
}

// The synchronisation daemon is not here yet; without sorting the order of services is that of the kernel's hash table.
bool is_compared(const std::string& line) {
  for (const char* part : {"daemon", "--nosort"})
    if (line.find(part) != std::string::npos) return false;
  return true;
}

// Recorded on a machine that knew no host's name.
class PortNames final : public Names {
 public:
  std::optional<model::Address> address_of_host(const std::string&) const override { return std::nullopt; }
  std::optional<std::string> host_of_address(const model::Address&) const override { return std::nullopt; }
  std::optional<std::uint16_t> port_of_service(const std::string& service, model::Protocol protocol) const override {
    return names_.port_of_service(service, protocol);
  }
  std::optional<std::string> service_of_port(std::uint16_t port, model::Protocol protocol) const override {
    return names_.service_of_port(port, protocol);
  }

 private:
  FakeNames names_;
};

void replay(const nlohmann::json& recording, std::size_t& compared) {
  const std::string name = recording.at("name");
  const bool about_text = name.starts_with("cli-");
  FakeDirector director;
  const PortNames names;
  for (const auto& step : recording.at("steps")) {
    if (!runs(step)) continue;
    const std::string line = step.at("cmd");
    std::istringstream in(step.value("stdin", ""));
    std::ostringstream out;
    std::ostringstream err;
    const int exit_code = run_ipvsadm(words_of(line), in, out, err, director, names);
    if (!is_compared(line)) continue;
    ++compared;
    SCOPED_TRACE(name + ": " + line);
    EXPECT_EQ(exit_code, step.at("rc").get<int>());
    EXPECT_EQ(err.str(), step.value("stderr", ""));
    if (!about_text) continue;
    EXPECT_EQ(out.str(), step.value("stdout", ""));
  }
}

TEST(IpvsadmGolden, answers_every_line_of_the_recordings) {
  std::size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PENSTOCK_SOURCE_DIR "/tests/golden/recordings")) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path());
    replay(nlohmann::json::parse(file), compared);
  }
  EXPECT_GT(compared, 1700U);
}

}  // namespace
}  // namespace penstock::cli
