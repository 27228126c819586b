#include "agent/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "agent/bpf/configuration.hpp"
#include "agent/bpf/mss.hpp"

namespace penstock::agent {
namespace {

using Action = Options::Action;
using Take = Result<void> (*)(Options&, const std::string&);

enum class Values { none, one, many };

struct Option {
  std::string_view name;
  Values values;
  bool is_for_start_only;
  Take take;
};

template <typename... Arguments>
tl::unexpected<Error> refuse(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  return fail(ErrorCode::invalid_argument, fmt::format(text, std::forward<Arguments>(arguments)...));
}

constexpr std::uint32_t mss_most = 65495;  // the longest IPv4 packet without its headers

Result<std::uint32_t> number_in(const std::string& text, std::uint32_t least, std::uint32_t most) {
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc{} || stop != end || number < least || number > most)
    return refuse("\"{}\" is not a number from {} to {}", text, least, most);
  return number;
}

Result<void> take_vip(Options& options, const std::string& text) {
  const auto address = model::parse_address(text);
  if (!address) return refuse("\"{}\" is not an address", text);
  if (!model::is_unicast(*address) || model::is_loopback(*address)) return refuse("{} can be no VIP", text);
  if (std::ranges::find(options.vips, *address) == options.vips.end()) options.vips.push_back(*address);
  return {};
}

Result<void> take_method(Options& options, const std::string& text) {
  using model::Method;
  constexpr std::array<std::pair<std::string_view, Method>, 4> methods{
      {{"direct", Method::direct}, {"tunnel", Method::tunnel}, {"nat", Method::nat}, {"fullnat", Method::fullnat}}};
  const auto found = std::ranges::find(methods, text, &std::pair<std::string_view, Method>::first);
  if (found == methods.end()) return refuse("\"{}\" is not direct, tunnel, nat or fullnat", text);
  options.methods.insert(found->second);
  return {};
}

Result<void> take_interface(Options& options, const std::string& text) {
  options.interfaces.push_back(text);
  return {};
}

Result<void> take_mode(Options& options, const std::string& text) {
  if (text != "auto" && text != "native" && text != "tc") return refuse("\"{}\" is not auto, native or tc", text);
  options.mode = text == "auto" ? Mode::automatic : text == "native" ? Mode::native : Mode::tc;
  return {};
}

Result<void> take_mss(Options& options, const std::string& text) {
  const auto number = number_in(text, mss_min, mss_most);
  if (!number) return fail(number.error());
  options.mss = *number;
  return {};
}

Result<void> take_director(Options& options, const std::string& text) {
  const auto prefix = model::parse_prefix(text);
  if (!prefix) return refuse("\"{}\" is not an address or a prefix such as 10.9.0.0/24", text);
  options.directors.push_back(*prefix);
  return {};
}

Result<void> take_kind(Options& options, const std::string& text) {
  const auto number = number_in(text, 2, 255);
  if (!number) return fail(number.error());
  options.option_kind = static_cast<std::uint8_t>(*number);
  return {};
}

Result<void> take_cgroup(Options& options, const std::string& text) {
  options.cgroup = text;
  return {};
}

Result<void> take_json(Options& options, const std::string&) {
  options.as_json = true;
  return {};
}

Result<void> take_help(Options& options, const std::string&) {
  options.action = Action::help;
  return {};
}

constexpr std::array all_options{
    Option{"--vip", Values::many, true, take_vip},
    Option{"--method", Values::many, true, take_method},
    Option{"--interface", Values::many, true, take_interface},
    Option{"--mode", Values::one, true, take_mode},
    Option{"--mss", Values::one, true, take_mss},
    Option{"--from", Values::many, true, take_director},
    Option{"--toa-kind", Values::one, true, take_kind},
    Option{"--cgroup", Values::one, true, take_cgroup},
    Option{"--json", Values::none, false, take_json},
    Option{"--help", Values::none, false, take_help},
    Option{"-h", Values::none, false, take_help},
};

Result<Action> action_of(const std::string& word) {
  if (word == "start") return Action::start;
  if (word == "stop") return Action::stop;
  if (word == "status") return Action::status;
  if (word == "help" || word == "--help" || word == "-h") return Action::help;
  return refuse("\"{}\" is not start, stop or status", word);
}

bool is_option(const std::string& word) { return word.starts_with('-'); }

// The words that belong to the option at `words[0]`, and how many words that makes.
struct Taken {
  std::vector<std::string> values;
  std::size_t words = 1;
};

Result<Taken> take_values(const Option& option, std::span<const std::string> words) {
  Taken taken;
  const std::size_t equals = words[0].find('=');
  if (equals != std::string::npos) {
    if (option.values == Values::none) return refuse("{} takes no value", option.name);
    taken.values.push_back(words[0].substr(equals + 1));
    return taken;
  }
  const std::size_t most = option.values == Values::none ? 0 : option.values == Values::one ? 1 : words.size();
  while (taken.words < words.size() && taken.values.size() < most && !is_option(words[taken.words]))
    taken.values.push_back(words[taken.words++]);
  if (option.values != Values::none && taken.values.empty()) return refuse("{} wants a value", option.name);
  return taken;
}

Result<std::size_t> take_option(Options& options, std::span<const std::string> words) {
  const std::string name = words[0].substr(0, words[0].find('='));
  const auto option = std::ranges::find(all_options, name, &Option::name);
  if (option == all_options.end()) return refuse("{} is no option of penstock realserver", words[0]);
  const bool is_help = option->take == take_help;
  if (!is_help && options.action != Action::start && option->is_for_start_only)
    return refuse("{} is for start; stop and status know by themselves what was started", name);
  if (option->take == take_json && options.action != Action::status) return refuse("--json is for status");
  const auto taken = take_values(*option, words);
  if (!taken) return fail(taken.error());
  if (option->values == Values::none) {
    if (auto done = option->take(options, {}); !done) return fail(done.error());
  }
  for (const std::string& value : taken->values)
    if (auto done = option->take(options, value); !done) return with_context(name, done.error());
  return taken->words;
}

Result<void> check(const Options& options) {
  using model::Method;
  const auto& methods = options.methods;
  const bool has_vip = methods.contains(Method::direct) || methods.contains(Method::tunnel);
  if (has_vip && options.vips.empty())
    return refuse("--vip is missing: with direct and tunnel the real server has the service's address itself");
  if (!has_vip && !options.vips.empty())
    return refuse("--vip: with nat and fullnat the real server does not have the VIP");
  if (options.vips.size() > addresses_max) return refuse("--vip: at most {}", std::uint32_t{addresses_max});
  if (!methods.contains(Method::tunnel)) {
    if (options.mss) return refuse("--mss is for tunnel");
    if (!options.interfaces.empty()) return refuse("--interface is for tunnel");
    if (options.mode != Mode::automatic) return refuse("--mode is for tunnel");
  }
  if (methods.contains(Method::fullnat) && options.directors.empty())
    return refuse(
        "--from is missing: whose word to take for who the client is, the director's local addresses (on the director: "
        "penstock local list)");
  if (!methods.contains(Method::fullnat) && !options.directors.empty()) return refuse("--from is for fullnat");
  if (options.directors.size() > directors_max) return refuse("--from: at most {}", std::uint32_t{directors_max});
  return {};
}

}  // namespace

Result<Options> parse_options(std::span<const std::string> words) {
  Options options;
  if (words.empty()) return refuse("start, stop or status?");
  const auto action = action_of(words[0]);
  if (!action) return fail(action.error());
  options.action = *action;
  for (std::size_t i = 1; i < words.size() && options.action != Action::help;) {
    const auto taken = take_option(options, words.subspan(i));
    if (!taken) return fail(taken.error());
    i += *taken;
  }
  if (options.action != Action::start) return options;
  if (options.methods.empty()) options.methods.insert(model::Method::direct);
  if (auto checked = check(options); !checked) return fail(checked.error());
  return options;
}

std::string_view help_text() {
  return R"(penstock realserver: makes this host a real server behind a director, without a daemon

usage: penstock realserver start --vip ADDRESS… [option…]
       penstock realserver stop
       penstock realserver status [--json]

  start    makes the settings below; what is there already is left as it is. Calling it again with other options changes
           what differs; after an interrupted start it completes it. It does not outlast a reboot: call it at each boot
  stop     puts back every setting as start found it; what somebody changed in between is left, and said
  status   one line for each setting; exit code 0 only if all are in place

  --vip ADDRESS…        the service's addresses, IPv4 and IPv6
  --method METHOD…      how the director forwards (default: direct)
    direct   ipvsadm -g: the VIP on lo and nobody told of it by ARP
    tunnel   ipvsadm -i: the same, and the end of the tunnel: ipip, gre and gue (UDP port 6080), in IPv4 or IPv6
    nat      ipvsadm -m: nothing to do here; the director is to be this host's default gateway
    fullnat  ipvsadm --fullnat: programs on this host see the client's address instead of the director's

of tunnel:
  --interface NAME…     where tunnel packets arrive and replies leave (default: every Ethernet interface that is up)
  --mode auto|native|tc as XDP in the driver (native), in the kernel's traffic control behind it (tc), or what suits the
                        interface (auto, the default)
  --mss N               the largest segment clients are told to send (default: the interface's MTU less the headers of the
                        largest tunnel; never more than the host announces by itself)

of fullnat:
  --from PREFIX…        the director's local addresses: nobody else is believed when it says who the client is
  --toa-kind N          the TCP option that tells it, as set on the director (default 254; penstock setting get toa_kind)
  --cgroup DIRECTORY    only for programs in this cgroup (version 2; default: all)

examples:
  penstock realserver start --vip 192.0.2.40 2001:db8::40
  penstock realserver start --vip 192.0.2.40 --method tunnel
  penstock realserver start --method fullnat --from 10.9.0.0/24

What start found is kept in /run/penstock/INODE/realserver.json, INODE being the network namespace's
(stat -Lc %i /proc/self/ns/net). Needs root. Exit codes: 0 done, 1 failed or not all in place, 2 not understood.
)";
}

}  // namespace penstock::agent
