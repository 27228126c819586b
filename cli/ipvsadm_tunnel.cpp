#include "cli/ipvsadm_tunnel.hpp"

#include <fmt/format.h>

namespace penstock::cli {
namespace {

const char* checksum_mark(model::TunnelChecksum checksum) {
  switch (checksum) {
    case model::TunnelChecksum::none:
      return "-c";
    case model::TunnelChecksum::checksum:
      return "+c";
    case model::TunnelChecksum::remote_checksum:
      return "r+c";
  }
  return "";
}

const char* checksum_option(model::TunnelChecksum checksum) {
  switch (checksum) {
    case model::TunnelChecksum::none:
      return " --tun-nocsum";
    case model::TunnelChecksum::checksum:
      return " --tun-csum";
    case model::TunnelChecksum::remote_checksum:
      return " --tun-remcsum";
  }
  return "";
}

}  // namespace

const char* to_string(model::TunnelType type) {
  switch (type) {
    case model::TunnelType::ipip:
      return "ipip";
    case model::TunnelType::gue:
      return "gue";
    case model::TunnelType::gre:
      return "gre";
  }
  return "";
}

std::optional<model::TunnelType> parse_tunnel_type(std::string_view text) {
  for (const auto type : {model::TunnelType::ipip, model::TunnelType::gue, model::TunnelType::gre})
    if (text == to_string(type)) return type;
  return std::nullopt;
}

std::string tunnel_info(const model::RealServer& server) {
  if (server.method != model::Method::tunnel) return "n/a";
  const model::Tunnel& tunnel = server.tunnel;
  switch (tunnel.type) {
    case model::TunnelType::ipip:
      return "ipip";
    case model::TunnelType::gue:
      return fmt::format("gue:{}:{}", tunnel.port, checksum_mark(tunnel.checksum));
    case model::TunnelType::gre:
      return fmt::format("gre:{}", checksum_mark(tunnel.checksum));
  }
  return "";
}

std::string tunnel_options(const model::Tunnel& tunnel) {
  std::string options = fmt::format(" --tun-type {}", to_string(tunnel.type));
  if (tunnel.type == model::TunnelType::gue) options += fmt::format(" --tun-port {}", tunnel.port);
  if (tunnel.type != model::TunnelType::ipip) options += checksum_option(tunnel.checksum);
  return options;
}

}  // namespace penstock::cli
