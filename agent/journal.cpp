#include "agent/journal.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace penstock::agent {
namespace {

using nlohmann::json;

constexpr int version = 1;

Change change_of(const json& record) {
  const auto kind = kind_of(record.at("kind").get<std::string>());
  if (!kind) throw std::invalid_argument(kind.error().message);
  return {.setting = {.kind = *kind, .name = record.at("name")},
          .found = record.at("found"),
          .wanted = record.at("wanted"),
          .made_from = record.value("made_from", "")};
}

}  // namespace

const Change* find_change(const Journal& journal, const Setting& setting) {
  const auto at = std::ranges::find(journal.changes, setting, &Change::setting);
  return at == journal.changes.end() ? nullptr : &*at;
}

std::string encode(const Journal& journal, const HostIdentity& identity) {
  json changes = json::array();
  for (const Change& change : journal.changes) {
    json record{{"kind", word_of(change.setting.kind)},
                {"name", change.setting.name},
                {"found", change.found},
                {"wanted", change.wanted}};
    if (!change.made_from.empty()) record["made_from"] = change.made_from;
    changes.push_back(std::move(record));
  }
  return json{{"version", version},
              {"boot_id", identity.boot_id},
              {"network_namespace", identity.network_namespace},
              {"purpose", journal.purpose},
              {"changes", std::move(changes)}}
             .dump(1) +
         "\n";
}

Result<std::optional<Journal>> decode(std::string_view text, const HostIdentity& identity) {
  try {
    const json whole = json::parse(text);
    if (whole.at("version") != version)
      return fail(ErrorCode::unsupported,
                  "written by another release of penstock (version " + whole.at("version").dump() + ")");
    if (HostIdentity{whole.at("boot_id"), whole.at("network_namespace")} != identity) return std::nullopt;
    Journal journal{.purpose = whole.at("purpose"), .changes = {}};
    for (const json& record : whole.at("changes")) journal.changes.push_back(change_of(record));
    return journal;
  } catch (const std::exception& problem) {
    return fail(ErrorCode::protocol, problem.what());
  }
}

}  // namespace penstock::agent
