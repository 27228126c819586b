#include "cli/ipvsadm_connections.hpp"

#include <fmt/ostream.h>

namespace penstock::cli {
namespace {

const char* protocol_word(api::ConnectionProtocol protocol) {
  switch (protocol) {
    case api::ConnectionProtocol::ip:
      return "IP";
    case api::ConnectionProtocol::tcp:
      return "TCP";
    case api::ConnectionProtocol::udp:
      return "UDP";
    case api::ConnectionProtocol::esp:
      return "ESP";
    case api::ConnectionProtocol::ah:
      return "AH";
    case api::ConnectionProtocol::sctp:
      return "SCTP";
  }
  return "";
}

// Protocol by which ports have names, if it has ports.
std::optional<model::Protocol> naming_protocol(api::ConnectionProtocol protocol) {
  switch (protocol) {
    case api::ConnectionProtocol::tcp:
      return model::Protocol::tcp;
    case api::ConnectionProtocol::udp:
      return model::Protocol::udp;
    case api::ConnectionProtocol::sctp:
      return model::Protocol::sctp;
    case api::ConnectionProtocol::ip:
    case api::ConnectionProtocol::esp:
    case api::ConnectionProtocol::ah:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void print_connection_header(std::ostream& out, EngineColumns engine) {
  out << "IPVS connection entries\n"
         "pro expire state       source             virtual            destination";
  if (engine == EngineColumns::shown) out << "        pe name          pe_data";
  out << '\n';
}

void print_connection(std::ostream& out, const api::ConnectionView& connection, const AddressText& address) {
  const auto protocol = naming_protocol(connection.protocol);
  const auto text = [&](const model::Endpoint& endpoint) { return address.full(endpoint, protocol); };
  fmt::print(out, "{:<3} {:02}:{:02}  {:<11} {:<18} {:<18} {}\n", protocol_word(connection.protocol),
             connection.expires_s / 60, connection.expires_s % 60, connection.state, text(connection.client),
             text(connection.vip), text(connection.server));
}

}  // namespace penstock::cli
