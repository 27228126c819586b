#include "doctor/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "doctor/options.hpp"

namespace penstock::doctor {
namespace {

constexpr std::size_t columns_max = 80;

// In lines that begin with so many blanks. Columns are characters: a continuation byte of UTF-8 takes none.
std::string wrapped(const std::string& text, std::size_t indent) {
  const auto width = [](const std::string& word) {
    return static_cast<std::size_t>(std::ranges::count_if(word, [](char c) { return (c & 0xc0) != 0x80; }));
  };
  std::string lines;
  std::size_t column = 0;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const bool fits = column != 0 && column + 1 + width(word) <= columns_max;
    if (column != 0) lines += fits ? " " : "\n";
    if (!fits) lines += std::string(indent, ' ');
    column = (fits ? column + 1 : indent) + width(word);
    lines += word;
  }
  return lines + "\n";
}

std::string counted(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string role_in_words(const Facts& facts) {
  if (facts.director) {
    std::size_t servers = 0;
    for (const api::ServiceView& service : facts.director->services) servers += service.servers.size();
    return fmt::format("director, {}, {}", counted(facts.director->services.size(), "service"),
                       counted(servers, "real server"));
  }
  std::vector<std::string> vips;
  for (const model::Address& vip : facts.real_server->vips) vips.push_back(to_string(vip));
  return fmt::format("real server of {}{}{}", name_of(facts.real_server->method), vips.empty() ? "" : ", virtual ",
                     fmt::join(vips, ", "));
}

std::string finding_text(const Finding& finding) {
  const CatalogueRow& row = row_of(finding.fault);
  std::string text = fmt::format("{}: {}\n", to_string(row.severity), row.id);
  text += wrapped(finding.what, 2) + wrapped(finding.mend, 2);
  for (const std::string& command : finding.commands) text += "    " + command + "\n";
  return text + "\n";
}

std::size_t count(const Findings& findings, Severity severity) {
  return static_cast<std::size_t>(std::ranges::count_if(
      findings, [&](const Finding& finding) { return row_of(finding.fault).severity == severity; }));
}

}  // namespace

std::string report_text(const Facts& facts, const Findings& findings) {
  const std::string role = role_in_words(facts);
  if (findings.empty()) return fmt::format("Nothing found ({}).\n", role);
  std::string text;
  for (const Finding& finding : findings) text += finding_text(finding);
  return text + fmt::format("{}, {} ({}).\n", counted(count(findings, Severity::error), "error"),
                            counted(count(findings, Severity::warning), "warning"), role);
}

std::string report_json(const Facts& facts, const Findings& findings) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    const CatalogueRow& row = row_of(finding.fault);
    list.push_back({{"id", row.id},
                    {"severity", to_string(row.severity)},
                    {"what", finding.what},
                    {"mend", finding.mend},
                    {"commands", finding.commands}});
  }
  const nlohmann::ordered_json json = {{"role", facts.director ? "director" : "realserver"}, {"findings", list}};
  // Names come from elsewhere: a byte that is no UTF-8 must not become an exception.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string reference_page() {
  std::string page = R"(# What `penstock doctor` finds

<!-- Written by `penstock doctor --reference` from doctor/catalogue.cpp; a test holds it to that. -->

`penstock doctor` looks at a director or a real server, asks the network who answers for the virtual addresses, and says what is wrong
and what mends it. It changes nothing. An *error* means that some clients are not served now; a *warning*, that they may not be, or
slower than need be. With `--json` the names in the first column are `id`. Exit code 0: nothing found, 1: something found, 2: could
not look.
)";
  for (const Side side : {Side::director, Side::real_server, Side::both}) {
    page += fmt::format("\n## {}\n\n| finding | | what it means |\n|---|---|---|\n",
                        side == Side::director      ? "On a director"
                        : side == Side::real_server ? "On a real server"
                                                    : "On both");
    for (const CatalogueRow& row : catalogue())
      if (row.side == side) page += fmt::format("| `{}` | {} | {} |\n", row.id, to_string(row.severity), row.meaning);
  }
  return page;
}

}  // namespace penstock::doctor
