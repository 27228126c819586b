#include "cli/ipvsadm.hpp"

#include <fmt/ostream.h>

#include <utility>

#include "cli/ipvsadm_connections.hpp"
#include "cli/ipvsadm_errors.hpp"
#include "cli/ipvsadm_grammar.hpp"
#include "cli/ipvsadm_help.hpp"
#include "cli/ipvsadm_listing.hpp"
#include "cli/ipvsadm_order.hpp"
#include "cli/ipvsadm_restore.hpp"
#include "cli/ipvsadm_save.hpp"

namespace penstock::cli {
namespace {

constexpr int exit_missing_in_list = 1;  // -L of what is not there, where every other command ends with 255

struct Outcome {
  int exit_code = 0;
  Restore restore = Restore::goes_on;
};

// Where a command line comes from: a line that -R reads may not be another -R.
enum class Source { program, restore };

class Run {
 public:
  Run(std::istream& in, std::ostream& out, std::ostream& err, const DirectorSource& source, const Names& names)
      : in_(in), out_(out), err_(err), source_(source), names_(names) {}

  Outcome run_line(const std::vector<std::string>& arguments, Source source);

 private:
  Outcome execute(const Command& command, const std::string& program, Source source);
  Outcome restore(const std::string& program);
  Outcome complain(const Complaint& complaint);

  // `question` is put to the director, and its error becomes ipvsadm's.
  template <typename Question>
  Outcome ask(Verb verb, Question question);
  Outcome refused(Verb verb, const Error& error);
  Outcome list(const Command& command);
  Result<void> list_services(api::Director& director, const ListingStyle& style);
  Result<void> list_service(api::Director& director, const model::ServiceKey& key, const ListingStyle& style);
  Result<void> list_connections(api::Director& director, OptionSet given, const AddressText& address);
  Result<void> list_timeouts(api::Director& director);
  Result<void> save(api::Director& director, const AddressText& address);

  std::istream& in_;
  std::ostream& out_;
  std::ostream& err_;
  const DirectorSource& source_;
  const Names& names_;
};

Outcome Run::complain(const Complaint& complaint) {
  err_ << complaint.text << '\n';
  return {complaint.exit_code, complaint.restore};
}

Outcome Run::run_line(const std::vector<std::string>& arguments, Source source) {
  const auto command = parse_command(arguments, names_);
  if (!command) return complain(command.error());
  return execute(*command, arguments.empty() ? "ipvsadm" : arguments[0], source);
}

Outcome Run::refused(Verb verb, const Error& error) {
  const std::string words = words_of(verb, error);
  if (is_refusal_of_penstock(error)) return complain({exit_failed, words, Restore::fails});
  if (!is_refusal_of_ipvs(error)) return complain({exit_failed, words, Restore::ends});
  if (verb == Verb::list) return complain({exit_missing_in_list, words, Restore::ends});
  return complain({exit_failed, words, Restore::goes_on});
}

template <typename Question>
Outcome Run::ask(Verb verb, Question question) {
  const auto director = source_();
  if (!director) return refused(verb, director.error());
  const Result<void> done = question(**director);
  if (!done) return refused(verb, done.error());
  return {};
}

Outcome Run::execute(const Command& command, const std::string& program, Source source) {
  const model::ServiceKey& key = command.service.key;
  using api::Director;
  switch (command.verb) {
    case Verb::help:
      out_ << help_text(program);
      return {0, Restore::ends};
    case Verb::version:
      out_ << version_text();
      return {0, Restore::ends};
    case Verb::list:
      return list(command);
    case Verb::restore:
      return source == Source::restore ? complain(try_help(program)) : restore(program);
    case Verb::save:
      return ask(command.verb,
                 [&](Director& director) { return save(director, listing_style(command.given, names_).address); });
    case Verb::add_service:
      return ask(command.verb, [&](Director& director) { return director.add_service(command.service); });
    case Verb::edit_service:
      return ask(command.verb, [&](Director& director) { return director.edit_service(command.service); });
    case Verb::delete_service:
      return ask(command.verb, [&](Director& director) { return director.delete_service(key); });
    case Verb::flush:
      return ask(command.verb, [](Director& director) { return director.flush(); });
    case Verb::add_server:
      return ask(command.verb, [&](Director& director) { return director.add_server(key, command.server); });
    case Verb::edit_server:
      return ask(command.verb, [&](Director& director) { return director.edit_server(key, command.server); });
    case Verb::delete_server:
      return ask(command.verb,
                 [&](Director& director) { return director.delete_server(key, command.server.endpoint); });
    case Verb::zero:
      return ask(command.verb, [&](Director& director) {
        return director.zero(command.given.has(Option::service_address) ? std::optional(key) : std::nullopt);
      });
    case Verb::set_timeouts:
      return ask(command.verb, [&](Director& director) { return director.set_timeouts(command.timeouts); });
    case Verb::start_daemon:
      return refused(command.verb,
                     Error{ErrorCode::unsupported,
                           "the synchronisation daemon is not available yet: directors do not share connections"});
    case Verb::stop_daemon:
      return complain({exit_failed, "No daemon is running", Restore::goes_on});
  }
  return {};
}

Outcome Run::list(const Command& command) {
  const OptionSet given = command.given;
  const ListingStyle style = listing_style(given, names_);
  return ask(Verb::list, [&](api::Director& director) -> Result<void> {
    if (given.has(Option::connection)) return list_connections(director, given, style.address);
    if (given.has(Option::timeout)) return list_timeouts(director);
    if (given.has(Option::daemon)) return {};  // one line for each running synchronisation daemon: none runs
    if (!given.has(Option::service_address)) return list_services(director, style);
    return list_service(director, command.service.key, style);
  });
}

Result<void> Run::list_services(api::Director& director, const ListingStyle& style) {
  const auto info = director.info();
  if (!info) return fail(info.error());
  auto services = director.services();
  if (!services) return fail(services.error());
  print_version(out_, *info);
  print_header(out_, style.columns);
  if (style.sorted) sort_services(*services);
  for (api::ServiceView& view : *services) print_service(out_, std::move(view), style);
  return {};
}

Result<void> Run::list_service(api::Director& director, const model::ServiceKey& key, const ListingStyle& style) {
  auto view = director.service(key);
  if (!view) return fail(view.error());
  print_header(out_, style.columns);
  print_service(out_, *std::move(view), style);
  return {};
}

Result<void> Run::list_connections(api::Director& director, OptionSet given, const AddressText& address) {
  const bool with_engines = given.has(Option::persistent_conn);
  print_connection_header(out_, with_engines ? EngineColumns::shown : EngineColumns::hidden);
  return director.connections(
      [&](const api::ConnectionView& connection) { print_connection(out_, connection, address); });
}

Result<void> Run::list_timeouts(api::Director& director) {
  const auto timeouts = director.timeouts();
  if (!timeouts) return fail(timeouts.error());
  fmt::print(out_, "Timeout (tcp tcpfin udp): {} {} {}\n", timeouts->tcp_s, timeouts->tcp_fin_s, timeouts->udp_s);
  return {};
}

Result<void> Run::save(api::Director& director, const AddressText& address) {
  auto services = director.services();
  if (!services) return fail(services.error());
  sort_services(*services);
  for (api::ServiceView& view : *services) save_service(out_, std::move(view), address);
  return {};
}

// As in ipvsadm a line that the director refuses does not stop the others, and the last line's result is the whole's; but what
// Penstock does not have is never passed over with a 0.
Outcome Run::restore(const std::string& program) {
  Outcome last;
  bool failed = false;
  while (const auto words = read_restore_line(in_, program)) {
    if (words->size() == 1) continue;
    last = run_line(*words, Source::restore);
    if (last.restore == Restore::ends) return last;
    if (last.restore == Restore::fails) failed = true;
  }
  return failed ? Outcome{exit_failed, Restore::goes_on} : last;
}

}  // namespace

int run_ipvsadm(const std::vector<std::string>& args, std::istream& in, std::ostream& out, std::ostream& err,
                const DirectorSource& director, const Names& names) {
  return Run(in, out, err, director, names).run_line(args, Source::program).exit_code;
}

int run_ipvsadm(const std::vector<std::string>& args, std::istream& in, std::ostream& out, std::ostream& err,
                api::Director& director, const Names& names) {
  return run_ipvsadm(args, in, out, err, DirectorSource([&]() -> Result<api::Director*> { return &director; }), names);
}

}  // namespace penstock::cli
