#include "cli/ipvsadm_names.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::cli {
namespace {

constexpr std::size_t column_width = 28;

}  // namespace

std::string AddressText::full(const model::Endpoint& endpoint, std::optional<model::Protocol> protocol) const {
  std::optional<std::string> host;
  std::optional<std::string> port;
  if (names_ != nullptr) host = names_->host_of_address(endpoint.address);
  if (names_ != nullptr && protocol) port = names_->service_of_port(endpoint.port, *protocol);
  const bool brackets = endpoint.address.family == model::Family::ipv6;
  return fmt::format(fmt::runtime(brackets ? "[{}]:{}" : "{}:{}"), host.value_or(model::to_string(endpoint.address)),
                     port.value_or(std::to_string(endpoint.port)));
}

std::string AddressText::in_column(const model::Endpoint& endpoint, std::optional<model::Protocol> protocol) const {
  std::string text = full(endpoint, protocol);
  if (names_ != nullptr && endpoint.address.family == model::Family::ipv4)
    text.resize(std::min(text.size(), column_width));
  return text;
}

}  // namespace penstock::cli
