#include "cli/ipvsadm_connections.hpp"

#include <fmt/ostream.h>

namespace penstock::cli {
namespace {

const char* protocol_word(model::Protocol protocol) {
  switch (protocol) {
    case model::Protocol::tcp:
      return "TCP";
    case model::Protocol::udp:
      return "UDP";
    case model::Protocol::sctp:
      return "SCTP";
  }
  return "";
}

}  // namespace

void print_connection_header(std::ostream& out, EngineColumns engine) {
  out << "IPVS connection entries\n"
         "pro expire state       source             virtual            destination";
  if (engine == EngineColumns::shown) out << "        pe name          pe_data";
  out << '\n';
}

void print_connection(std::ostream& out, const api::ConnectionView& connection, const AddressText& address) {
  const auto text = [&](const model::Endpoint& endpoint) { return address.full(endpoint, connection.protocol); };
  fmt::print(out, "{:<3} {:02}:{:02}  {:<11} {:<18} {:<18} {}\n", protocol_word(connection.protocol),
             connection.expires_s / 60, connection.expires_s % 60, connection.state, text(connection.client),
             text(connection.vip), text(connection.server));
}

}  // namespace penstock::cli
