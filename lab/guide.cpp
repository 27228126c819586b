#include "lab/guide.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace penstock::lab {
namespace {

std::string join(const std::vector<model::Address>& addresses) {
  std::string text;
  for (const model::Address& address : addresses) text += (text.empty() ? "" : " ") + to_string(address);
  return text;
}

std::string addresses_of(const Host& host) {
  std::vector<model::Address> all;
  for (const Link& link : host.links) all.insert(all.end(), link.addresses.begin(), link.addresses.end());
  return join(all);
}

using Row = std::array<std::string, 5>;

std::string aligned(const std::vector<Row>& rows) {
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

const Host* first_with(const Topology& topology, Role role) {
  const auto found = std::ranges::find(topology.hosts, role, &Host::role);
  return found == topology.hosts.end() ? nullptr : &*found;
}

// As it may stand in a shell line: square brackets would be a pattern there.
std::string url_of(const model::Address& vip) {
  return vip.family == model::Family::ipv4 ? fmt::format("http://{}/", to_string(vip))
                                           : fmt::format("'http://[{}]/'", to_string(vip));
}

struct Suggestion {
  std::string line;
  std::string remark;
};

std::string lines_of(const std::vector<Suggestion>& suggestions) {
  std::string text;
  for (const Suggestion& s : suggestions)
    text += fmt::format("  {}{}{}\n", s.line, s.remark.empty() ? "" : "   # ", s.remark);
  return text;
}

}  // namespace

std::string host_table(const Topology& topology, const std::vector<std::string>& last_column) {
  const auto last = [&](std::size_t row) { return row < last_column.size() ? last_column[row] : std::string(); };
  std::vector<Row> rows{{"HOST", "ROLE", "ADDRESS", "VIP", last(0)}};
  for (const Host& host : topology.hosts) {
    rows.push_back(
        {host.name, std::string(to_string(host.role)), addresses_of(host), join(host.vips), last(rows.size())});
  }
  rows.push_back({std::string(switch_name), "switch", "", "", last(rows.size())});
  return aligned(rows);
}

std::string what_to_type(const Topology& topology, const Guide& guide) {
  const Host* client = first_with(topology, Role::client);
  const Host* director = first_with(topology, Role::director);
  std::vector<Suggestion> suggestions{{guide.command + " view", "the hosts and what flows between them"}};
  const auto suggest = [&](const Host& host, std::string_view command, std::string remark = "") {
    suggestions.push_back({fmt::format("{} exec {} {}", guide.command, host.name, command), std::move(remark)});
  };
  if (client && director) {
    for (const model::Address& vip : director->vips) suggest(*client, "curl " + url_of(vip));
  }
  if (director) suggest(*director, "ipvsadm -Ln");
  suggestions.push_back({fmt::format("{} exec {}", guide.command, topology.hosts.back().name), "a shell there"});
  suggestions.push_back({guide.command + " down", ""});
  std::string text;
  for (const std::string& url : guide.urls) text += fmt::format("In your browser, too: {}\n", url);
  for (const std::string& remark : topology.remarks) text += remark + '\n';
  return text + "Go on:\n" + lines_of(suggestions);
}

}  // namespace penstock::lab
