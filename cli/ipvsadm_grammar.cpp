#include "cli/ipvsadm_grammar.hpp"

#include <fmt/format.h>

#include "cli/ipvsadm_popt.hpp"
#include "cli/ipvsadm_reader.hpp"

namespace penstock::cli {
namespace {

constexpr std::size_t timeout_count = 3;

std::vector<std::string> take_leftovers(OptionWalk& walk, std::size_t at_most) {
  std::vector<std::string> taken;
  while (taken.size() < at_most) {
    auto text = walk.leftover();
    if (!text) break;
    taken.push_back(*std::move(text));
  }
  return taken;
}

Taken check_daemon_state(Verb verb, const std::string& state) {
  if (state == "master" || state == "backup") return {};
  if (verb == Verb::start_daemon) return refuse("illegal start-daemon parameter specified");
  return refuse("illegal start_daemon specified");
}

tl::expected<Command, Complaint> read_options(Verb verb, OptionWalk& walk, const Names& names) {
  Reader reader(verb, names);
  while (const auto meaning = walk.next())
    if (const Taken taken = reader.take(*meaning, walk.argument(), walk.written()); !taken)
      return tl::unexpected(taken.error());
  if (walk.error()) return tl::unexpected(Complaint{exit_failed, *walk.error(), Restore::goes_on});
  if (verb == Verb::set_timeouts)
    if (const Taken taken = reader.take_timeouts(take_leftovers(walk, timeout_count)); !taken)
      return tl::unexpected(taken.error());
  if (const auto more = walk.leftover()) return refuse("unexpected argument " + *more);
  if (const Taken finished = reader.finish(); !finished) return tl::unexpected(finished.error());
  return std::move(reader).command();
}

}  // namespace

Complaint try_help(const std::string& program) {
  return {exit_failed, fmt::format("Try `{0} -h' or '{0} --help' for more information.", program), Restore::ends};
}

tl::expected<Command, Complaint> parse_command(const std::vector<std::string>& arguments, const Names& names) {
  if (arguments.size() <= 1) return Command{};
  OptionWalk walk(arguments);
  const auto first = walk.next();
  const Verb* verb = first ? std::get_if<Verb>(&*first) : nullptr;
  if (verb == nullptr) return tl::unexpected(try_help(arguments[0]));
  if (*verb == Verb::start_daemon || *verb == Verb::stop_daemon)
    if (const Taken known = check_daemon_state(*verb, walk.argument().value_or("")); !known)
      return tl::unexpected(known.error());
  if (*verb == Verb::help || *verb == Verb::version) return Reader(*verb, names).command();
  return read_options(*verb, walk, names);
}

}  // namespace penstock::cli
