// The program penstock-realserver, which `penstock realserver` becomes.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "agent/changes.hpp"
#include "agent/journal_file.hpp"
#include "agent/kernel_host.hpp"
#include "agent/options.hpp"
#include "agent/plan.hpp"
#include "agent/report.hpp"

namespace penstock::agent {
namespace {

constexpr int exit_done = 0;
constexpr int exit_failed = 1;
constexpr int exit_not_understood = 2;

int complain(const std::string& sentence) {
  fmt::print(stderr, "penstock realserver: {}\n", sentence);
  return exit_failed;
}

void print_lines(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) fmt::print("{}\n", line);
}

// An interface whose driver has no XDP is planned again, for TC.
Result<Started> start_with_what_interfaces_can(const Options& options, const JournalFile& file, Netlink& netlink) {
  auto facts = read_facts(netlink);
  if (!facts) return fail(facts.error());
  for (;;) {
    const auto plan = make_plan(options, *facts);
    if (!plan) return fail(plan.error());
    const auto before = file.load();
    if (!before) return fail(before.error());
    KernelHost host(netlink, program_config(options, *facts));
    auto started = agent::start(*plan, *before, host, [&](const Journal& journal) { return file.save(journal); });
    const bool lacks_xdp =
        started && started->refusal && started->refusal->setting.kind == Kind::xdp && options.mode == Mode::automatic;
    if (!lacks_xdp) return started;
    print_lines(started->done);
    fmt::print("{}: {}: TC instead\n", started->refusal->setting.name, started->refusal->error.message);
    facts->without_xdp.insert(started->refusal->setting.name);
  }
}

int start(const Options& options, const JournalFile& file, Netlink& netlink) {
  const auto started = start_with_what_interfaces_can(options, file, netlink);
  if (!started) return complain("start: " + started.error().message);
  print_lines(started->done);
  if (started->refusal)
    return complain(fmt::format("start: {}: {}; what was done stands, `stop` undoes it",
                                to_string(started->refusal->setting), started->refusal->error.message));
  if (started->journal.changes.empty())
    fmt::print("nothing to do here: the director is to be the default gateway\n");
  else if (started->done.empty())
    fmt::print("everything was in place\n");
  return exit_done;
}

int stop(const JournalFile& file, Netlink& netlink) {
  const auto journal = file.load();
  if (!journal) return complain("stop: " + journal.error().message);
  if (!*journal) {
    fmt::print("not started: nothing to put back\n");
    return file.remove() ? exit_done : exit_failed;
  }
  KernelHost host(netlink, {});
  const Stopped stopped = agent::stop(**journal, host);
  print_lines(stopped.done);
  print_lines(stopped.notes);
  const auto kept = stopped.failures.empty() ? file.remove() : file.save(stopped.left);
  if (!kept) return complain("stop: " + kept.error().message);
  for (const std::string& failure : stopped.failures) complain("stop: " + failure);
  return stopped.failures.empty() ? exit_done : exit_failed;
}

int status(const Options& options, const JournalFile& file, Netlink& netlink) {
  const auto journal = file.load();
  if (!journal) return complain("status: " + journal.error().message);
  if (!*journal) {
    fmt::print("{}", options.as_json ? status_json("not started", {}) : "not started\n");
    return exit_failed;
  }
  KernelHost host(netlink, {});
  const auto standing = compare(plan_of(**journal), host);
  fmt::print("{}",
             options.as_json ? status_json((*journal)->purpose, standing) : status_text((*journal)->purpose, standing));
  return is_all_right(standing) ? exit_done : exit_failed;
}

int run(std::span<const std::string> words) {
  const auto options = parse_options(words);
  if (!options) {
    complain(options.error().message);
    fmt::print(stderr, "(penstock realserver --help says more)\n");
    return exit_not_understood;
  }
  if (options->action == Options::Action::help) {
    fmt::print("{}", help_text());
    return exit_done;
  }
  if (geteuid() != 0) return complain("this needs root");
  const auto identity = own_identity();
  if (!identity) return complain(identity.error().message);
  const auto file = JournalFile::open(*identity);
  if (!file) return complain(file.error().message);
  auto netlink = Netlink::open();
  if (!netlink) return complain(netlink.error().message);
  switch (options->action) {
    case Options::Action::start:
      return start(*options, *file, *netlink);
    case Options::Action::stop:
      return stop(*file, *netlink);
    case Options::Action::status:
      return status(*options, *file, *netlink);
    case Options::Action::help:
      break;
  }
  return exit_done;
}

}  // namespace
}  // namespace penstock::agent

int main(int count, char** words) { return penstock::agent::run(std::vector<std::string>(words + 1, words + count)); }
