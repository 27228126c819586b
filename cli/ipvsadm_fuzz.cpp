// ipvsadm's grammar, listing, saving and -R against a director without packets. The input is one command line per line, its words
// between NULs; the rest after an empty line is what -R reads. Nothing is looked up on the network (FakeNames).
//
// What is checked besides crashes and leaks: an exit code that ipvsadm has, a word to every refusal, and that what -S writes -R takes
// back unchanged.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/ipvsadm.hpp"
#include "cli/ipvsadm_fake_director.hpp"

namespace {

using namespace penstock;

constexpr std::size_t lines_max = 64;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Said {
  int exit_code;
  std::string out;
  std::string err;
};

Said say(const std::vector<std::string>& args, const std::string& input, cli::FakeDirector& director) {
  static const cli::FakeNames names;
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  const int exit_code = cli::run_ipvsadm(args, in, out, err, director, names);
  return {exit_code, out.str(), err.str()};
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words = {"ipvsadm"};
  while (!line.empty()) {
    const std::string_view word = line.substr(0, line.find('\0'));
    words.emplace_back(word);
    line.remove_prefix(std::min(word.size() + 1, line.size()));
  }
  return words;
}

// Marks from 2^31 on are written as ipvsadm writes them, and a flag that the scheduler has no name for is not written at all: neither is
// read back.
bool can_be_restored(const cli::FakeDirector& director) {
  for (const api::ServiceView& view : director.views) {
    const model::Service& service = view.service;
    if (service.key.fwmark > INT32_MAX) return false;
    if ((service.scheduler == "sh" || service.scheduler == "mh") && (service.flags & model::service_flag::sched_3) != 0)
      return false;
  }
  return true;
}

void check_save_and_restore(cli::FakeDirector& director) {
  if (!can_be_restored(director)) return;
  const Said saved = say({"ipvsadm", "-S", "-n"}, "", director);
  cli::FakeDirector restored;
  const Said restoring = say({"ipvsadm", "-R"}, saved.out, restored);
  require(restoring.exit_code == 0 && restoring.err.empty());
  require(restored.views.size() == director.views.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  cli::FakeDirector director;
  for (std::size_t line = 0; line < lines_max && !rest.empty(); ++line) {
    const std::string_view words = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(words.size() + 1, rest.size()));
    if (words.empty()) break;
    const Said said = say(words_of(words), std::string(rest), director);
    require(said.exit_code == 0 || said.exit_code == 1 || said.exit_code == 2 || said.exit_code == 255);
    require(said.exit_code == 0 || !said.err.empty());
  }
  say({"ipvsadm", "-R"}, std::string(rest), director);
  check_save_and_restore(director);
  return 0;
}
