#include "lab/parse_topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

namespace penstock::lab {
namespace {

constexpr std::string_view blanks = " \t\r";

struct Word {
  std::string_view text;
  unsigned column = 0;
};

struct Line {
  unsigned number = 0;
  unsigned end_column = 1;  // just after the last word
  std::string_view text;
  std::vector<Word> words;

  // From this word to the end of the last, as it was written.
  [[nodiscard]] std::string_view from(std::size_t word) const {
    return text.substr(words[word].column - 1, end_column - words[word].column);
  }
};

Line split(std::string_view text, unsigned number) {
  Line line;
  line.number = number;
  line.text = text;
  for (std::size_t at = text.find_first_not_of(blanks); at != text.npos && text[at] != '#';) {
    const std::size_t end = std::min(text.find_first_of(blanks, at), text.size());
    line.words.push_back({text.substr(at, end - at), static_cast<unsigned>(at + 1)});
    line.end_column = static_cast<unsigned>(end + 1);
    at = text.find_first_not_of(blanks, end);
  }
  return line;
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "4096", "64K", "8M"
std::optional<std::uint64_t> parse_size(std::string_view text) {
  unsigned shift = 0;
  if (text.ends_with('K')) shift = 10;
  if (text.ends_with('M')) shift = 20;
  if (shift != 0) text.remove_suffix(1);
  const auto number = parse_number<std::uint64_t>(text);
  if (!number || *number == 0 || *number > bulk_bytes_max >> shift) return std::nullopt;
  return *number << shift;
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto address = model::parse_address(text.substr(0, slash));
  const auto length = parse_number<unsigned>(text.substr(slash + 1));
  if (!address || !length || *length > host_length(address->family)) return std::nullopt;
  return Prefix{*address, *length};
}

// "192.0.2.1:80", "[2001:db8::1]:80"
std::optional<model::Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool has_brackets = host.starts_with('[') && host.ends_with(']');
  if (has_brackets) host = host.substr(1, host.size() - 2);
  const auto address = model::parse_address(host);
  if (!port || *port == 0 || !address || has_brackets != (address->family == model::Family::ipv6)) return std::nullopt;
  return model::Endpoint{*address, *port};
}

bool is_url(std::string_view text) { return text.starts_with("http://") || text.starts_with("https://"); }

// Host names become interface names and lines of /etc/hosts.
bool is_name(std::string_view text) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_letter = [&](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.size() <= host_name_size_max && is_lower(text[0]) &&
         std::ranges::all_of(text, is_letter);
}

std::optional<Role> parse_role(std::string_view text) {
  for (const Role role : {Role::client, Role::director, Role::realserver, Role::server, Role::router}) {
    if (text == to_string(role)) return role;
  }
  return std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::string_view source) : source_(source) {}

  Result<Topology> parse(std::string_view text) {
    for (unsigned number = 1; !text.empty(); ++number) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const Line line = split(text.substr(0, end), number);
      if (!line.words.empty()) {
        if (auto taken = take(line); !taken) return fail(std::move(taken.error()));
      }
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (auto ended = end_host(); !ended) return fail(std::move(ended.error()));
    if (topology_.hosts.empty())
      return fail(ErrorCode::invalid_argument, fmt::format("{}: no host is declared", source_));
    return std::move(topology_);
  }

 private:
  using Handler = Result<void> (Parser::*)(const Line&);
  enum class Scope { file, host };
  struct Statement {
    std::string_view keyword;
    Scope scope;
    Handler handler;
    std::string_view needs;  // said when nothing follows the keyword; empty: nothing may follow
  };
  static const std::array<Statement, 17> statements;

  Result<void> take(const Line& line) {
    const Word& keyword = line.words[0];
    const auto found = std::ranges::find(statements, keyword.text, &Statement::keyword);
    if (found == statements.end()) return bad(line, keyword, fmt::format("'{}' is not a statement", keyword.text));
    if (found->scope == Scope::host && host_line_ == 0) {
      return bad(line, keyword, fmt::format("'{}' belongs to a host, and none is declared yet", keyword.text));
    }
    if (found->needs.empty() && line.words.size() > 1) {
      return bad(line, line.words[1], fmt::format("'{}' stands alone", keyword.text));
    }
    if (!found->needs.empty() && line.words.size() == 1) return missing(line, found->needs);
    return (this->*found->handler)(line);
  }

  Result<void> network(const Line& line) {
    const Word& name = line.words[1];
    if (!is_name(name.text)) return bad_name(line, name);
    if (find_network(topology_, name.text) != nullptr) {
      return bad(line, name, fmt::format("network '{}' is declared twice", name.text));
    }
    if (topology_.networks.size() == networks_max) {
      return bad(line, name, fmt::format("more than {} networks", networks_max));
    }
    if (line.words.size() == 2) return missing(line, "a prefix such as 172.16.0.0/16");
    Network network{.name = std::string(name.text), .prefixes = {}};
    for (std::size_t i = 2; i < line.words.size(); ++i) {
      const auto prefix = parse_prefix(line.words[i].text);
      if (!prefix) return bad(line, line.words[i], fmt::format("'{}' is not a prefix", line.words[i].text));
      network.prefixes.push_back(*prefix);
    }
    topology_.networks.push_back(std::move(network));
    return {};
  }

  Result<void> ipv6(const Line& line) {
    if (auto alone = only_one_word(line); !alone) return alone;
    const std::string_view word = line.words[1].text;
    if (word != "on" && word != "off") return bad(line, line.words[1], "ipv6 is 'on' or 'off'");
    topology_.ipv6 = word == "on";
    return {};
  }

  Result<void> say(const Line& line) {
    topology_.remarks.emplace_back(line.from(1));
    return {};
  }

  Result<void> host(const Line& line) {
    if (auto alone = only_one_word(line); !alone) return alone;
    if (auto ended = end_host(); !ended) return ended;
    const Word& name = line.words[1];
    if (!is_name(name.text)) return bad_name(line, name);
    if (name.text == switch_name || name.text == "localhost") {
      return bad(line, name, fmt::format("'{}' is taken", name.text));
    }
    if (find_host(topology_, name.text) != nullptr)
      return bad(line, name, fmt::format("host '{}' is declared twice", name.text));
    if (topology_.hosts.size() == hosts_max) return bad(line, name, fmt::format("more than {} hosts", hosts_max));
    topology_.hosts.emplace_back().name = name.text;
    host_line_ = line.number;
    role_line_ = 0;
    return {};
  }

  Result<void> role(const Line& line) {
    if (auto alone = only_one_word(line); !alone) return alone;
    if (role_line_ != 0) return bad(line, line.words[0], fmt::format("its role stands on line {} already", role_line_));
    const auto role = parse_role(line.words[1].text);
    if (!role) {
      return bad(line, line.words[1],
                 fmt::format("'{}' is not a role: client, director, realserver, server, router", line.words[1].text));
    }
    current().role = *role;
    current().xdp_port = current().xdp_port || *role == Role::director;
    role_line_ = line.number;
    return {};
  }

  Result<void> link(const Line& line) {
    const Network* network = find_network(topology_, line.words[1].text);
    if (network == nullptr) {
      return bad(line, line.words[1], fmt::format("network '{}' is not declared", line.words[1].text));
    }
    if (line.words.size() == 2) return missing(line, "an address");
    Link link{.network = network->name, .addresses = {}};
    for (std::size_t i = 2; i < line.words.size(); ++i) {
      const Word& word = line.words[i];
      const auto address = model::parse_address(word.text);
      if (!address) return bad(line, word, fmt::format("'{}' is not an address", word.text));
      if (std::ranges::none_of(network->prefixes, [&](const Prefix& p) { return contains(p, *address); })) {
        return bad(line, word, fmt::format("{} is not in network '{}'", word.text, network->name));
      }
      if (const Host* owner = owner_of(*address))
        return bad(line, word, fmt::format("{} is {}'s already", word.text, owner->name));
      link.addresses.push_back(*address);
    }
    current().links.push_back(std::move(link));
    return {};
  }

  Result<void> vip(const Line& line) {
    if (role_line_ == 0) return bad(line, line.words[0], "the role comes first: it says where a VIP goes");
    if (current().role != Role::director && current().role != Role::realserver) {
      return bad(line, line.words[0], fmt::format("a {} has no VIP", to_string(current().role)));
    }
    return addresses(line, current().vips);
  }

  Result<void> gateway(const Line& line) { return addresses(line, current().gateways); }

  Result<void> page(const Line& line) {
    current().page = std::string(line.from(1));
    return {};
  }

  Result<void> listen(const Line& line) {
    std::vector<std::uint16_t> ports;
    for (std::size_t i = 1; i < line.words.size(); ++i) {
      const auto port = parse_number<std::uint16_t>(line.words[i].text);
      if (!port || *port == 0) return bad(line, line.words[i], fmt::format("'{}' is not a port", line.words[i].text));
      ports.push_back(*port);
    }
    current().ports = std::move(ports);
    return {};
  }

  Result<void> bulk(const Line& line) {
    if (auto alone = only_one_word(line); !alone) return alone;
    const auto size = parse_size(line.words[1].text);
    if (!size) return bad(line, line.words[1], fmt::format("'{}' is not a size from 1 to 1024M", line.words[1].text));
    current().bulk_bytes = *size;
    return {};
  }

  Result<void> sysctl(const Line& line) {
    if (line.words.size() == 2) return missing(line, "a value");
    std::string key(line.words[1].text);
    if (key.find('/') == key.npos) std::ranges::replace(key, '.', '/');
    current().settings.push_back({.key = std::move(key), .value = std::string(line.from(2))});
    return {};
  }

  Result<void> setup(const Line& line) {
    current().setups.emplace_back(line.from(1));
    return {};
  }

  Result<void> run(const Line& line) {
    current().daemons.emplace_back(line.from(1));
    return {};
  }

  Result<void> then(const Line& line) {
    current().thens.emplace_back(line.from(1));
    return {};
  }

  Result<void> forward(const Line& line) {
    if (line.words.size() == 2) return missing(line, "where it leads to, such as 192.0.2.40:80");
    if (line.words.size() > 4) return bad(line, line.words[4], "nothing follows the URL");
    const auto port = parse_number<std::uint16_t>(line.words[1].text);
    if (!port) return bad(line, line.words[1], fmt::format("'{}' is not a port", line.words[1].text));
    const auto to = parse_endpoint(line.words[2].text);
    if (!to) return bad(line, line.words[2], fmt::format("'{}' is not an address with a port", line.words[2].text));
    const std::string_view url = line.words.size() == 4 ? line.words[3].text : "";
    if (!url.empty() && !is_url(url)) return bad(line, line.words[3], fmt::format("'{}' is not a URL", url));
    current().forwards.push_back({.port = *port, .to = *to, .url = std::string(url)});
    return {};
  }

  Result<void> xdp_port(const Line&) {
    current().xdp_port = true;
    return {};
  }

  // What can only be said once the host is complete.
  Result<void> end_host() {
    if (host_line_ == 0) return {};
    const std::string_view name = current().name;
    if (role_line_ == 0) return bad_host(fmt::format("host '{}' has no role", name));
    if (current().links.empty()) return bad_host(fmt::format("host '{}' has no link", name));
    if (current().bulk_bytes != 0 && !current().page)
      return bad_host(fmt::format("host '{}' has a bulk file but no page", name));
    return {};
  }

  Result<void> addresses(const Line& line, std::vector<model::Address>& into) {
    for (std::size_t i = 1; i < line.words.size(); ++i) {
      const auto address = model::parse_address(line.words[i].text);
      if (!address) return bad(line, line.words[i], fmt::format("'{}' is not an address", line.words[i].text));
      into.push_back(*address);
    }
    return {};
  }

  [[nodiscard]] const Host* owner_of(const model::Address& address) const {
    for (const Host& host : topology_.hosts) {
      for (const Link& link : host.links) {
        if (std::ranges::find(link.addresses, address) != link.addresses.end()) return &host;
      }
    }
    return nullptr;
  }

  Result<void> only_one_word(const Line& line) {
    if (line.words.size() == 2) return {};
    return bad(line, line.words[2], fmt::format("one word is enough after '{}'", line.words[0].text));
  }

  Host& current() { return topology_.hosts.back(); }

  [[nodiscard]] tl::unexpected<Error> at(unsigned line, unsigned column, std::string_view message) const {
    return fail(ErrorCode::invalid_argument, fmt::format("{}:{}:{}: {}", source_, line, column, message));
  }
  [[nodiscard]] tl::unexpected<Error> bad(const Line& line, const Word& word, std::string_view message) const {
    return at(line.number, word.column, message);
  }
  [[nodiscard]] tl::unexpected<Error> bad_name(const Line& line, const Word& word) const {
    return bad(line, word,
               fmt::format("'{}' is not a name: a letter, then letters, digits and -, at most {}", word.text,
                           host_name_size_max));
  }
  [[nodiscard]] tl::unexpected<Error> bad_host(std::string_view message) const { return at(host_line_, 1, message); }
  [[nodiscard]] tl::unexpected<Error> missing(const Line& line, std::string_view what) const {
    return at(line.number, line.end_column, fmt::format("'{}' needs {}", line.words[0].text, what));
  }

  std::string_view source_;
  Topology topology_;
  unsigned host_line_ = 0;  // 0: no host yet
  unsigned role_line_ = 0;  // 0: the current host has none yet
};

constexpr std::array<Parser::Statement, 17> Parser::statements{{
    {"network", Scope::file, &Parser::network, "a name"},
    {"ipv6", Scope::file, &Parser::ipv6, "'on' or 'off'"},
    {"say", Scope::file, &Parser::say, "a text"},
    {"host", Scope::file, &Parser::host, "a name"},
    {"role", Scope::host, &Parser::role, "one of client, director, realserver, server, router"},
    {"link", Scope::host, &Parser::link, "a network"},
    {"vip", Scope::host, &Parser::vip, "an address"},
    {"gateway", Scope::host, &Parser::gateway, "an address"},
    {"page", Scope::host, &Parser::page, "a text"},
    {"listen", Scope::host, &Parser::listen, "a port"},
    {"bulk", Scope::host, &Parser::bulk, "a size"},
    {"sysctl", Scope::host, &Parser::sysctl, "a key"},
    {"setup", Scope::host, &Parser::setup, "a shell line"},
    {"run", Scope::host, &Parser::run, "a program"},
    {"then", Scope::host, &Parser::then, "a shell line"},
    {"forward", Scope::host, &Parser::forward, "a port"},
    {"xdp-port", Scope::host, &Parser::xdp_port, ""},
}};

}  // namespace

Result<Topology> parse_topology(std::string_view source, std::string_view text) { return Parser(source).parse(text); }

}  // namespace penstock::lab
