#include "model/mark_rule.hpp"

#include <cerrno>
#include <charconv>

namespace penstock::model {
namespace {

tl::unexpected<Error> invalid(const std::string& why) { return fail(ErrorCode::invalid_argument, why, EINVAL); }

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<PortRange> parse_port_range(std::string_view text) {
  const auto colon = text.find(':');
  const auto first = parse_port(text.substr(0, colon));
  const auto last = colon == std::string_view::npos ? first : parse_port(text.substr(colon + 1));
  if (!first || !last) return std::nullopt;
  return PortRange{*first, *last};
}

Result<void> check_ports(const std::vector<PortRange>& ranges) {
  if (ranges.size() > port_ranges_max)
    return invalid("more than " + std::to_string(port_ranges_max) + " ranges of ports");
  for (const PortRange& range : ranges)
    if (range.last < range.first)
      return invalid("ports " + std::to_string(range.first) + ":" + std::to_string(range.last) +
                     " end before they begin");
  return {};
}

std::string option(const char* name, const std::string& value) { return " --" + std::string(name) + " " + value; }

}  // namespace

Result<void> check(const MarkRule& rule) {
  if (rule.source.address.family != rule.family || rule.destination.address.family != rule.family)
    return invalid("source and destination are of different address families");
  if (!rule.protocol && !(rule.source_ports.empty() && rule.destination_ports.empty()))
    return invalid("ports need a protocol: tcp, udp or sctp");
  if (auto checked = check_ports(rule.source_ports); !checked) return checked;
  return check_ports(rule.destination_ports);
}

std::optional<std::vector<PortRange>> parse_port_ranges(std::string_view text) {
  std::vector<PortRange> ranges;
  for (;;) {
    const auto comma = text.find(',');
    const auto range = parse_port_range(text.substr(0, comma));
    if (!range) return std::nullopt;
    ranges.push_back(*range);
    if (comma == std::string_view::npos) return ranges;
    text.remove_prefix(comma + 1);
  }
}

std::string to_string(const std::vector<PortRange>& ranges) {
  std::string text;
  for (const PortRange& range : ranges) {
    if (!text.empty()) text += ",";
    text += std::to_string(range.first);
    if (range.last != range.first) text += ":" + std::to_string(range.last);
  }
  return text;
}

std::string to_string(const MarkRule& rule) {
  std::string text = std::to_string(rule.mark);
  const bool named_by_address = rule.source.length != 0 || rule.destination.length != 0;
  if (rule.family == Family::ipv6 && !named_by_address) text += " --ipv6";
  if (rule.protocol) text += option("protocol", to_string(*rule.protocol));
  if (rule.source.length != 0) text += option("source", to_string(rule.source));
  if (!rule.source_ports.empty()) text += option("source-ports", to_string(rule.source_ports));
  if (rule.destination.length != 0) text += option("destination", to_string(rule.destination));
  if (!rule.destination_ports.empty()) text += option("ports", to_string(rule.destination_ports));
  return text;
}

}  // namespace penstock::model
