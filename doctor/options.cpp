#include "doctor/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace penstock::doctor {
namespace {

using Words = std::span<const std::string>;

struct NamedMethod {
  std::string_view name;
  model::Method method;
};

constexpr std::array methods = {
    NamedMethod{"direct", model::Method::direct},
    NamedMethod{"tunnel", model::Method::tunnel},
    NamedMethod{"nat", model::Method::nat},
    NamedMethod{"fullnat", model::Method::fullnat},
};

bool is_option(const std::string& word) { return word.starts_with('-'); }

// One or more, up to the next option.
Result<std::size_t> take_addresses(Words words, std::vector<model::Address>& into) {
  std::size_t taken = 0;
  for (; taken < words.size() && !is_option(words[taken]); ++taken) {
    const auto address = model::parse_address(words[taken]);
    if (!address) return fail(ErrorCode::invalid_argument, fmt::format("\"{}\" is not an IP address", words[taken]));
    into.push_back(*address);
  }
  if (taken == 0) return fail(ErrorCode::invalid_argument, "an address is missing");
  return taken;
}

Result<void> take_role(const std::string& word, Options& options) {
  if (word == "director")
    options.role = Role::director;
  else if (word == "realserver")
    options.role = Role::real_server;
  else
    return fail(ErrorCode::invalid_argument, fmt::format("\"{}\" is not director or realserver", word));
  return {};
}

Result<void> take_method(const std::string& word, Options& options) {
  const auto found = std::ranges::find(methods, word, &NamedMethod::name);
  if (found == methods.end())
    return fail(ErrorCode::invalid_argument, fmt::format("\"{}\" is not direct, tunnel, nat or fullnat", word));
  options.method = found->method;
  return {};
}

Result<void> take_time(const std::string& word, Options& options) {
  unsigned seconds = 0;
  const char* end = word.data() + word.size();
  const auto [stop, problem] = std::from_chars(word.data(), end, seconds);
  if (problem != std::errc{} || stop != end || std::chrono::seconds(seconds) > time_max)
    return fail(ErrorCode::invalid_argument,
                fmt::format("\"{}\" is not a number of seconds up to {}", word, time_max.count()));
  options.time = std::chrono::seconds(seconds);
  return {};
}

// How many of `values` belong to the option.
Result<std::size_t> take_values(const std::string& option, Words values, Options& options) {
  if (option == "--vip") return take_addresses(values, options.vips);
  if (option == "--director") return take_addresses(values, options.directors);
  if (option == "--client") return take_addresses(values, options.clients);
  using Take = Result<void> (*)(const std::string&, Options&);
  const Take take = option == "--role"      ? take_role
                    : option == "--method"  ? take_method
                    : option == "--seconds" ? take_time
                                            : nullptr;
  if (take == nullptr) return fail(ErrorCode::invalid_argument, "unknown option");
  if (values.empty()) return fail(ErrorCode::invalid_argument, "a value is missing");
  auto taken = take(values.front(), options);
  if (!taken) return fail(std::move(taken.error()));
  return 1;
}

Result<void> check(const Options& options) {
  const bool is_director = options.role == Role::director;
  if (is_director && (options.method || !options.vips.empty() || !options.directors.empty()))
    return fail(ErrorCode::invalid_argument, "--method, --vip and --director are for real servers");
  for (const model::Family family : {model::Family::ipv4, model::Family::ipv6}) {
    if (std::ranges::count(options.clients, family, &model::Address::family) > 1)
      return fail(ErrorCode::invalid_argument, "--client takes one address of each family");
  }
  return {};
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& words) {
  Options options;
  for (std::size_t i = 0; i < words.size();) {
    const std::string& word = words[i++];
    if (word == "--json") {
      options.as_json = true;
    } else if (word == "--reference") {
      options.action = Options::Action::reference;
    } else if (word == "--help" || word == "-h" || word == "help") {
      options.action = Options::Action::help;
      return options;
    } else {
      const auto taken = take_values(word, Words(words).subspan(i), options);
      if (!taken) return with_context(word, taken.error());
      i += *taken;
    }
  }
  if (auto checked = check(options); !checked) return fail(std::move(checked.error()));
  return options;
}

const char* help_text() {
  return R"(usage: penstock doctor [OPTION…]

Looks for what is wrong with this director or real server, and says what mends
it. Changes nothing. Asks the network: by ARP and neighbour solicitation who has
the virtual addresses, and a director connects to its real servers' TCP ports.

  --json                one object, for programs
  --role ROLE           director or realserver; by itself: a director if
                        penstockd runs or has run here
  --client ADDRESS…     where clients are, one address for each family; by
                        itself: beyond the default route
  --seconds N           how long counters are watched (1)

On a real server:
  --vip ADDRESS…        virtual addresses; by itself: those on lo
  --method METHOD       direct, tunnel, nat or fullnat; by itself: direct, or
                        tunnel if something takes outer headers off here
  --director ADDRESS…   the director's own addresses in this network

  --reference           the list of all findings (docs/doctor.md)

Exit code 0: nothing found, 1: something found, 2: could not look.
)";
}

std::string_view name_of(model::Method method) {
  const auto found = std::ranges::find(methods, method, &NamedMethod::method);
  return found == methods.end() ? "local" : found->name;
}

}  // namespace penstock::doctor
