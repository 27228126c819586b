#include "cli/penstock_mark.hpp"

#include <charconv>
#include <optional>
#include <set>

namespace penstock::cli {
namespace {

constexpr const char* usage =
    R"(usage: penstock mark add MARK [PACKETS]   packets like these carry the firewall mark MARK
       penstock mark del MARK [PACKETS]   take this rule away again
       penstock mark list                 all rules, as they are typed

PACKETS: all, or those with
  --protocol tcp|udp|sctp
  --source ADDRESS[/LENGTH]
  --source-ports PORTS       such as 80,443,8000:8080; at most 15 ports or ranges, and only with --protocol
  --destination ADDRESS[/LENGTH]
  --ports PORTS              of the destination
  --ipv6                     where no address says so; otherwise IPv4

If several rules match a packet, the last one holds; MARK 0 is no mark. Up to 64 rules.
Mark 5 belongs to the service that ipvsadm -A -f 5 makes. Marks of iptables or nftables are not seen: packets pass here first.

  penstock mark add 5 --protocol tcp --destination 203.0.113.0/24 --ports 80,443
  ipvsadm -A -f 5 -s wlc -p 300
)";

using Fault = tl::unexpected<std::string>;
using Read = tl::expected<void, std::string>;

std::optional<std::uint32_t> parse_mark(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x");
  if (hexadecimal) text.remove_prefix(2);
  std::uint32_t mark = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), mark, hexadecimal ? 16 : 10);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return mark;
}

std::optional<model::Protocol> parse_protocol(const std::string& text) {
  for (const auto protocol : {model::Protocol::tcp, model::Protocol::udp, model::Protocol::sctp})
    if (text == to_string(protocol)) return protocol;
  return std::nullopt;
}

class RuleReader {
 public:
  Read read(const Words& words) {
    const auto mark = words.empty() ? std::nullopt : parse_mark(words[0]);
    if (!mark)
      return Fault(words.empty() ? "which mark?" : "\"" + words[0] + "\" is not a mark: a number from 0 to 4294967295");
    rule_.mark = *mark;
    for (std::size_t at = 1; at < words.size();) {
      if (!given_.insert(words[at]).second) return Fault(words[at] + " is given twice");
      if (words[at] == "--ipv6") {
        ++at;
        continue;
      }
      if (!is_option(words[at])) return Fault("unknown argument " + words[at]);
      if (at + 1 == words.size()) return Fault(words[at] + " needs a value");
      if (auto taken = take(words[at], words[at + 1]); !taken) return taken;
      at += 2;
    }
    return finish();
  }

  [[nodiscard]] model::MarkRule rule() && { return std::move(rule_); }

 private:
  static bool is_option(const std::string& word) {
    static const std::set<std::string> options = {"--protocol", "--source", "--source-ports", "--destination",
                                                  "--ports"};
    return options.contains(word);
  }

  Read take(const std::string& option, const std::string& value) {
    if (option == "--protocol") return take_protocol(value);
    if (option == "--source") return take_prefix(option, value, source_);
    if (option == "--destination") return take_prefix(option, value, destination_);
    return take_ports(option, value, option == "--ports" ? rule_.destination_ports : rule_.source_ports);
  }

  Read take_protocol(const std::string& value) {
    rule_.protocol = parse_protocol(value);
    if (!rule_.protocol) return Fault("--protocol " + value + ": not tcp, udp or sctp");
    return {};
  }

  static Read take_prefix(const std::string& option, const std::string& value, std::optional<model::Prefix>& prefix) {
    prefix = model::parse_prefix(value);
    if (!prefix) return Fault(option + " " + value + ": not an address or a block such as 203.0.113.0/24");
    return {};
  }

  static Read take_ports(const std::string& option, const std::string& value, std::vector<model::PortRange>& ports) {
    auto ranges = model::parse_port_ranges(value);
    if (!ranges) return Fault(option + " " + value + ": not ports such as 80,443,8000:8080");
    ports = *std::move(ranges);
    return {};
  }

  // An address says which family is meant; one that is left out, or has length 0, is every address of it.
  Read finish() {
    const auto& named = source_ ? source_ : destination_;
    if (named) rule_.family = named->address.family;
    if (given_.contains("--ipv6")) {
      if (named && rule_.family == model::Family::ipv4)
        return Fault("--ipv6 with the IPv4 address " + to_string(*named));
      rule_.family = model::Family::ipv6;
    }
    rule_.source = source_.value_or(model::any_address(rule_.family));
    rule_.destination = destination_.value_or(model::any_address(rule_.family));
    return {};
  }

  model::MarkRule rule_;
  std::optional<model::Prefix> source_;
  std::optional<model::Prefix> destination_;
  std::set<std::string> given_;
};

int list(const Console& console) {
  return ask(console, [&](api::Director& director) -> Result<void> {
    const auto rules = director.mark_rules();
    if (!rules) return fail(rules.error());
    if (rules->empty()) console.out << "# no mark rules\n";
    for (const model::MarkRule& rule : *rules) fmt::print(console.out, "penstock mark add {}\n", to_string(rule));
    return {};
  });
}

}  // namespace

tl::expected<model::MarkRule, std::string> parse_mark_rule(const Words& words) {
  RuleReader reader;
  if (auto read = reader.read(words); !read) return Fault(read.error());
  return std::move(reader).rule();
}

int run_mark(const Words& words, const Console& console) {
  if (asks_for_help(words)) {
    console.out << usage;
    return exit_done;
  }
  if (words == Words{"list"}) return list(console);
  const bool adds = !words.empty() && words[0] == "add";
  if (!adds && (words.empty() || words[0] != "del")) return misunderstood(console, "mark: add, del or list?", usage);
  const auto rule = parse_mark_rule(Words(words.begin() + 1, words.end()));
  if (!rule) return misunderstood(console, "mark " + words[0] + ": " + rule.error(), usage);
  return ask(console, [&](api::Director& director) {
    return adds ? director.add_mark_rule(*rule) : director.delete_mark_rule(*rule);
  });
}

}  // namespace penstock::cli
