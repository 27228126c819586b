#include "doctor/look/firewall.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

namespace penstock::doctor {
namespace {

using Json = nlohmann::json;

// nullptr: it has no such member, or is no object.
const Json* member(const Json& json, const char* name) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(name);
  return found == json.end() ? nullptr : &*found;
}

std::string text(const Json* json) { return json && json->is_string() ? json->get<std::string>() : std::string(); }

std::string text_of(const Json& json, const char* name) { return text(member(json, name)); }

// "10.0.0.1", or {"prefix": {"addr": "10.0.0.0", "len": 24}}
std::optional<model::Prefix> prefix_in(const Json& json) {
  if (json.is_string()) return model::parse_prefix(json.get<std::string>());
  const Json* prefix = member(json, "prefix");
  const Json* length = prefix ? member(*prefix, "len") : nullptr;
  if (!length || !length->is_number_unsigned()) return std::nullopt;
  return model::parse_prefix(fmt::format("{}/{}", text_of(*prefix, "addr"), length->get<unsigned>()));
}

bool is_field(const Json& left, std::string_view protocol, std::string_view field) {
  const Json* payload = member(left, "payload");
  return payload && text_of(*payload, "field") == field &&
         (protocol.empty() || text_of(*payload, "protocol") == protocol);
}

std::optional<model::Prefix> destination_in(const Json& statement) {
  const Json* match = member(statement, "match");
  const Json* left = match ? member(*match, "left") : nullptr;
  const Json* right = match ? member(*match, "right") : nullptr;
  if (!left || !right || text_of(*match, "op") != "==" || !is_field(*left, "", "daddr")) return std::nullopt;
  return prefix_in(*right);
}

bool sets_mss(const Json& statement) {
  const Json* mangle = member(statement, "mangle");
  const Json* key = mangle ? member(*mangle, "key") : nullptr;
  const Json* option = key ? member(*key, "tcp option") : nullptr;
  if (option && text_of(*option, "name") == "maxseg") return true;
  const Json* extension = member(statement, "xt");  // iptables' TCPMSS
  return extension && text_of(*extension, "name") == "TCPMSS";
}

void take_rule(const Json& rule, Firewall& firewall) {
  const Json* statements = member(rule, "expr");
  if (!statements || !statements->is_array()) return;
  std::optional<model::Prefix> destination;
  bool drops = false;
  for (const Json& statement : *statements) {
    if (const auto found = destination_in(statement)) destination = found;
    drops = drops || member(statement, "drop") || member(statement, "reject");
    firewall.clamps_mss = firewall.clamps_mss || sets_mss(statement);
  }
  if (!destination) return;
  firewall.rules.push_back(
      {.chain = fmt::format("{} {} {}", text_of(rule, "family"), text_of(rule, "table"), text_of(rule, "chain")),
       .destination = *destination,
       .drops = drops});
}

}  // namespace

Firewall parse_firewall(std::string_view json) {
  const Json ruleset = Json::parse(json, nullptr, false);
  const Json* objects = member(ruleset, "nftables");
  Firewall firewall;
  if (!objects || !objects->is_array()) return firewall;
  for (const Json& object : *objects)
    if (const Json* rule = member(object, "rule")) take_rule(*rule, firewall);
  return firewall;
}

Firewall read_firewall() {
  const auto close = [](std::FILE* pipe) { pclose(pipe); };
  const std::unique_ptr<std::FILE, decltype(close)> pipe(popen("nft -j list ruleset 2>/dev/null", "re"), close);
  if (!pipe) return {};
  std::string said;
  std::array<char, 65536> chunk{};
  while (const std::size_t length = std::fread(chunk.data(), 1, chunk.size(), pipe.get()))
    said.append(chunk.data(), length);
  return parse_firewall(said);
}

}  // namespace penstock::doctor
