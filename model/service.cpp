#include "model/service.hpp"

namespace penstock::model {

const char* to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return "tcp";
    case Protocol::udp:
      return "udp";
    case Protocol::sctp:
      return "sctp";
  }
  return "?";
}

std::string to_string(const ServiceKey& key) {
  if (key.fwmark == 0) return std::string(to_string(key.protocol)) + " " + to_string(key.vip);
  const std::string mark = "fwmark " + std::to_string(key.fwmark);
  return key.vip.address.family == Family::ipv6 ? mark + " ipv6" : mark;
}

}  // namespace penstock::model
