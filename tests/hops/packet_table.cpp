#include "tests/hops/packet_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tests/hops/tcp_options.hpp"

namespace penstock::hops {
namespace {

using golden::Fields;

constexpr std::size_t ipv6_header = 40;  // which its length field leaves out

std::uint16_t port(const Fields& transport, const char* name) { return transport.at(name).get<std::uint16_t>(); }

// The first port without a number of its own is the client's, the next one fullnat's.
class PortNames {
 public:
  explicit PortNames(std::vector<std::uint16_t> known) : known_(std::move(known)) {}

  std::string operator()(std::uint16_t number) {
    if (std::ranges::find(known_, number) != known_.end()) return fmt::to_string(number);
    if (const auto met = std::ranges::find(met_, number); met != met_.end()) return word(met - met_.begin());
    met_.push_back(number);
    return word(std::ssize(met_) - 1);
  }

 private:
  static std::string word(std::ptrdiff_t place) { return place == 0 ? "CPORT" : place == 1 ? "LPORT" : "PORT"; }

  std::vector<std::uint16_t> known_;
  std::vector<std::uint16_t> met_;
};

// One line of the table, and what it is compared by.
struct Row {
  std::string network;
  std::string ethernet;
  std::string source;
  std::string destination;
  int family = 0;
  int ttl = 0;
  std::size_t bytes = 0;
  std::string carries;
  std::vector<std::string> options;  // of the TCP header, if this is the line that has one
  std::vector<std::string> changes;
};

std::string address_with_port(const Fields& ip, const char* name, const std::string& port_text) {
  const auto address = ip.at(name).get<std::string>();
  if (port_text.empty()) return address;
  return ip.at("v") == 6 ? fmt::format("[{}]:{}", address, port_text) : fmt::format("{}:{}", address, port_text);
}

Row row_of_layer(const Layer& layer, PortNames& names) {
  const Fields& ip = layer.ip;
  Row row{.family = ip.at("v"), .ttl = ip.at("ttl"), .bytes = ip.at("len"), .carries = layer.carries};
  if (row.family == 6) row.bytes += ipv6_header;
  std::string source_port;
  std::string destination_port;
  if (layer.carries == "TCP") {
    const Fields& tcp = ip.at("tcp");
    source_port = names(port(tcp, "sport"));
    destination_port = names(port(tcp, "dport"));
    row.options = tcp_options_in_words(tcp.value("opts", ""), std::ref(names));
  } else if (layer.carries == "GUE") {
    source_port = "HASH";  // of the flow inside
    destination_port = fmt::to_string(port(ip.at("udp"), "dport"));
  }
  row.source = address_with_port(ip, "src", source_port);
  row.destination = address_with_port(ip, "dst", destination_port);
  return row;
}

std::string host(const TableOptions& options, const std::string& mac) {
  const auto found = options.hosts.find(mac);
  return found == options.hosts.end() ? mac : found->second;
}

// Outermost first.
std::vector<Row> rows_of(const Hop& hop, const TableOptions& options, PortNames& names) {
  std::vector<Row> rows;
  for (const Layer& layer : hop.layers) rows.push_back(row_of_layer(layer, names));
  rows.front().network = hop.network;
  rows.front().ethernet = fmt::format("{} → {}", host(options, hop.source_mac), host(options, hop.destination_mac));
  return rows;
}

std::vector<std::string> changes_between(const Row& before, const Row& after) {
  std::vector<std::string> changes;
  if (before.family != after.family) changes.push_back(fmt::format("IPv{} becomes IPv{}", before.family, after.family));
  if (before.source != after.source) changes.push_back("source");
  if (before.destination != after.destination) changes.push_back("destination");
  if (before.ttl != after.ttl) changes.push_back("TTL");
  if (before.options != after.options) changes.push_back("TCP options");
  return changes;
}

void note_changes(const std::vector<Row>& before, std::vector<Row>& after) {
  after.front().changes = {"MAC"};
  if (after.size() > before.size()) {
    after.front().changes.push_back("this header is new");
  } else if (after.size() == before.size() && after.size() > 1) {
    std::ranges::move(changes_between(before.front(), after.front()), std::back_inserter(after.front().changes));
  }
  auto inner = changes_between(before.back(), after.back());
  std::ranges::move(inner, std::back_inserter(after.back().changes));
}

struct Widths {
  std::size_t network = 0;
  std::size_t ethernet = 0;
  std::size_t ip = 0;
};

// In characters: an arrow takes three bytes.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t to) {
  return text + std::string(to > width(text) ? to - width(text) : 0, ' ');
}

constexpr std::string_view inside = "  ";  // before what is carried in the line above

std::string ip_column(const Row& row) {
  const std::string ends = fmt::format("{} → {}", row.source, row.destination);
  if (row.carries != "TCP") return fmt::format("{}, {}", ends, row.carries);
  return row.network.empty() ? fmt::format("{}{}", inside, ends) : ends;
}

using Steps = std::vector<std::vector<Row>>;

std::vector<std::pair<std::string, Steps>> all_rows(const Handshake& handshake, const TableOptions& options) {
  PortNames names(options.known_ports);
  std::vector<std::pair<std::string, Steps>> all;
  for (const Packet& packet : handshake) {
    Steps steps;
    for (const Hop& hop : packet.hops) {
      steps.push_back(rows_of(hop, options, names));
      if (steps.size() > 1) note_changes(*(steps.end() - 2), steps.back());
    }
    all.emplace_back(packet.name, std::move(steps));
  }
  return all;
}

class Lines {
 public:
  explicit Lines(const Widths& widths) : widths_(widths) {}

  void add(const std::string& number, const Row& row, std::string_view ttl, std::string_view bytes,
           const std::string& ip, const std::string& changes) {
    std::string line = fmt::format("{:>3}  {}  {}  {}  {:>3}  {:>5}  {}", number, padded(row.network, widths_.network),
                                   padded(row.ethernet, widths_.ethernet), padded(ip, widths_.ip), ttl, bytes, changes);
    add_line(std::move(line));
  }

  void add_below_ip(const std::string& text) {
    add_line(std::string(3 + 2 + widths_.network + 2 + widths_.ethernet + 2, ' ') + text);
  }

  void add_line(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    text_ += line + '\n';
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Widths widths_;
  std::string text_;
};

void add_packet(Lines& lines, const Steps& steps, int& number) {
  std::vector<std::string> options_before;
  for (const std::vector<Row>& step : steps) {
    ++number;
    for (const Row& row : step) {
      lines.add(&row == &step.front() ? fmt::to_string(number) : "", row, fmt::to_string(row.ttl),
                fmt::to_string(row.bytes), ip_column(row), fmt::format("{}", fmt::join(row.changes, ", ")));
    }
    const std::vector<std::string>& options = step.back().options;
    if (options != options_before) lines.add_below_ip(fmt::format("{}options {}", inside, fmt::join(options, ", ")));
    options_before = options;
  }
}

}  // namespace

std::string packet_table(const Handshake& handshake, const TableOptions& options) {
  const auto packets = all_rows(handshake, options);
  const Row heads{.network = "network", .ethernet = "Ethernet"};
  Widths widths{width(heads.network), width(heads.ethernet), 0};
  for (const auto& [name, steps] : packets) {
    for (const std::vector<Row>& step : steps) {
      for (const Row& row : step) {
        widths.network = std::max(widths.network, width(row.network));
        widths.ethernet = std::max(widths.ethernet, width(row.ethernet));
        widths.ip = std::max(widths.ip, width(ip_column(row)));
      }
    }
  }
  Lines lines(widths);
  lines.add_line(options.title);
  lines.add_line("");
  lines.add("", heads, "TTL", "bytes", "IP", "changed");
  int number = 0;
  for (const auto& [name, steps] : packets) {
    lines.add_line(name);
    add_packet(lines, steps, number);
  }
  return lines.text();
}

}  // namespace penstock::hops
