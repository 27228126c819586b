#include "tests/golden/mark_chain.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

namespace penstock::golden {

namespace {

using Words = std::vector<std::string>;

tl::unexpected<Error> unsupported(const std::string& what) {
  return fail(ErrorCode::unsupported, "a firewall rule that mark rules cannot say: " + what);
}

// Decimal, or hexadecimal with 0x.
std::optional<std::uint32_t> number(std::string_view text) {
  const int base = text.starts_with("0x") || text.starts_with("0X") ? 16 : 10;
  if (base == 16) text.remove_prefix(2);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct MarkChange {
  std::uint32_t value = 0;
  std::uint32_t mask = 0xffffffff;
};

std::optional<MarkChange> parse_mark(const std::string& text) {
  const auto slash = text.find('/');
  const auto value = number(text.substr(0, slash));
  const auto mask = slash == std::string::npos ? std::optional(0xffffffffU) : number(text.substr(slash + 1));
  if (!value || !mask) return std::nullopt;
  return MarkChange{*value, *mask};
}

// What -p takes; nothing for any. The director's rules name protocols by number.
std::optional<std::optional<model::Protocol>> parse_protocol(const std::string& text) {
  static const std::map<std::string, std::uint8_t> names = {
      {"icmp", 1}, {"tcp", 6}, {"udp", 17}, {"esp", 50}, {"ah", 51}, {"icmpv6", 58}, {"ipv6-icmp", 58}, {"sctp", 132}};
  if (text == "all" || text == "0") return std::optional<model::Protocol>();
  const auto named = names.find(text);
  const auto value = named != names.end() ? std::optional<std::uint32_t>(named->second) : number(text);
  if (!value || *value > 0xff) return std::nullopt;
  return static_cast<model::Protocol>(*value);
}

// iptables lets an end of a range away: ":1024", "8000:".
std::optional<std::vector<model::PortRange>> parse_ports(std::string text) {
  if (text.starts_with(":")) text = "0" + text;
  if (text.ends_with(":")) text += "65535";
  return model::parse_port_ranges(text);
}

struct Parsed {
  char action = 0;        // A, I, D, F
  std::size_t place = 0;  // -I and -D by number, from 1; 0: none
  model::MarkRule rule;
  bool by_conntrack = false;
  bool keeps_bits = false;  // of an earlier mark
};

// The options of one line, each with the word behind it.
class Reader {
 public:
  Reader(model::Family family, Words words) : words_(std::move(words)) {
    parsed_.rule.family = family;
    parsed_.rule.source = model::any_address(family);
    parsed_.rule.destination = model::any_address(family);
  }

  Result<Parsed> read() {
    while (at_ < words_.size()) {
      if (!read_option(words_[at_++])) return unsupported(line());
    }
    if (parsed_.action == 0 || !in_mangle_) return unsupported(line());
    const bool names_rule = parsed_.action != 'F' && !(parsed_.action == 'D' && parsed_.place != 0);
    if (names_rule && !finish_mark()) return unsupported(line());
    return parsed_;
  }

 private:
  [[nodiscard]] std::string line() const {
    std::string text;
    for (const std::string& word : words_) text += (text.empty() ? "" : " ") + word;
    return text;
  }

  std::optional<std::string> next() {
    if (at_ == words_.size()) return std::nullopt;
    return words_[at_++];
  }

  bool read_option(const std::string& option) {
    static const std::map<std::string, char> actions = {{"-A", 'A'}, {"--append", 'A'}, {"-I", 'I'}, {"--insert", 'I'},
                                                        {"-D", 'D'}, {"--delete", 'D'}, {"-F", 'F'}, {"--flush", 'F'}};
    static const std::set<std::string> matches = {"tcp", "udp", "sctp", "multiport", "conntrack", "state"};
    if (option == "-w" || option == "--wait") return true;
    if (const auto action = actions.find(option); action != actions.end()) return read_action(action->second);
    const auto value = next();
    if (!value) return false;
    if (option == "-t" || option == "--table") return in_mangle_ = *value == "mangle";
    if (option == "-i" || option == "--in-interface") return true;
    if (option == "-j" || option == "--jump") return *value == "MARK";
    if (option == "-m" || option == "--match") return matches.contains(*value);
    if (option == "--ctstate" || option == "--state") return parsed_.by_conntrack = true;
    if (option == "--set-mark" || option == "--set-xmark") return (mark_ = parse_mark(*value)).has_value();
    return read_match(option, *value);
  }

  bool read_action(char action) {
    if (parsed_.action != 0) return false;
    parsed_.action = action;
    const bool chain_may_miss = action == 'F' && at_ == words_.size();
    if (!chain_may_miss && next() != "PREROUTING") return false;
    if (at_ < words_.size() && (action == 'I' || action == 'D')) {
      if (const auto place = number(words_[at_])) {
        parsed_.place = *place;
        ++at_;
      }
    }
    return true;
  }

  bool read_match(const std::string& option, const std::string& value) {
    const auto is = [&](std::initializer_list<const char*> names) {
      return std::find(names.begin(), names.end(), option) != names.end();
    };
    if (is({"-p", "--protocol"})) {
      const auto protocol = parse_protocol(value);
      if (protocol) parsed_.rule.protocol = *protocol;
      return protocol.has_value();
    }
    if (is({"-s", "--source", "--src"})) return read_prefix(value, parsed_.rule.source);
    if (is({"-d", "--destination", "--dst"})) return read_prefix(value, parsed_.rule.destination);
    if (is({"--sport", "--sports", "--source-port", "--source-ports"}))
      return read_ports(value, parsed_.rule.source_ports);
    if (is({"--dport", "--dports", "--destination-port", "--destination-ports"}))
      return read_ports(value, parsed_.rule.destination_ports);
    return false;
  }

  bool read_prefix(const std::string& text, model::Prefix& prefix) {
    const auto parsed = model::parse_prefix(text);
    if (!parsed || parsed->address.family != parsed_.rule.family) return false;
    prefix = *parsed;
    return true;
  }

  static bool read_ports(const std::string& text, std::vector<model::PortRange>& ports) {
    const auto parsed = parse_ports(text);
    if (parsed) ports = *parsed;
    return parsed.has_value();
  }

  bool finish_mark() {
    if (!mark_ || (mark_->value & ~mark_->mask) != 0) return false;
    parsed_.rule.mark = mark_->value;
    parsed_.keeps_bits = mark_->mask != 0xffffffff;
    return true;
  }

  Words words_;
  std::size_t at_ = 1;
  bool in_mangle_ = false;
  std::optional<MarkChange> mark_;
  Parsed parsed_;
};

model::Family family_of(const std::string& program) {
  return program.starts_with("ip6tables") ? model::Family::ipv6 : model::Family::ipv4;
}

}  // namespace

bool MarkChain::is_for_iptables(const Words& words) {
  return !words.empty() && (words.front().starts_with("iptables") || words.front().starts_with("ip6tables"));
}

Result<void> MarkChain::run(const Words& words) {
  const model::Family family = family_of(words.front());
  const auto parsed = Reader(family, words).read();
  if (!parsed) return tl::unexpected(parsed.error());
  // The director tracks no connections for the firewall. A rule that marks with 0 does nothing to a packet without a mark; that
  // its match looks at the checksum is why a recording has it.
  if (parsed->by_conntrack) return parsed->rule.mark == 0 ? Result<void>() : unsupported("connection tracking");
  auto& chain = chains_[family == model::Family::ipv4 ? 0 : 1];
  if (parsed->keeps_bits && !chain.empty()) return unsupported("a mask that keeps bits of an earlier mark");
  const auto size = static_cast<std::ptrdiff_t>(chain.size());
  const auto place = static_cast<std::ptrdiff_t>(std::max<std::size_t>(parsed->place, 1)) - 1;
  switch (parsed->action) {
    case 'A':
      chain.push_back(parsed->rule);
      return {};
    case 'I':
      if (place > size) return unsupported("insertion behind the end");
      chain.insert(chain.begin() + place, parsed->rule);
      return {};
    case 'F':
      chain.clear();
      return {};
    default:
      break;
  }
  const auto found = parsed->place != 0 && place < size ? chain.begin() + place
                     : parsed->place != 0               ? chain.end()
                                                        : std::find(chain.begin(), chain.end(), parsed->rule);
  if (found == chain.end()) return unsupported("deletion of a rule that is not there");
  chain.erase(found);
  return {};
}

std::vector<model::MarkRule> MarkChain::rules() const {
  auto all = chains_[0];
  all.insert(all.end(), chains_[1].begin(), chains_[1].end());
  return all;
}

}  // namespace penstock::golden
