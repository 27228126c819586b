#include "model/possible.hpp"

#include <cerrno>
#include <string>

namespace penstock::model {
namespace {

tl::unexpected<Error> not_yet(std::string sentence) {
  return fail(ErrorCode::unsupported, std::move(sentence), EOPNOTSUPP);
}

bool is_loopback(const Address& address) {
  if (address.family == Family::ipv4) return address.bytes[0] == 127;
  return to_string(address) == "::1";
}

const char* option_of(Method method) {
  switch (method) {
    case Method::nat:
      return "masquerading (-m)";
    case Method::tunnel:
      return "tunneling (-i)";
    case Method::local:
      return "local delivery";
    case Method::direct:
      return "direct routing (-g)";
  }
  return "this forwarding method";
}

}  // namespace

Result<void> check_possible(const Service& service) {
  if (service.key.fwmark != 0) return not_yet("firewall-mark services are not available yet: use -t or -u");
  if (service.key.protocol == Protocol::sctp) return not_yet("SCTP services are not available yet: use -t or -u");
  if ((service.flags & service_flag::persistent) != 0) return not_yet("persistence (-p) is not available yet");
  if ((service.flags & service_flag::one_packet) != 0)
    return not_yet("one-packet scheduling (-o) is not available yet");
  if (!service.persistence_engine.empty()) return not_yet("persistence engines (--pe) are not available yet");
  if (service.key.vip.port == 0) return not_yet("port 0 needs persistence, which is not available yet");
  if (service.scheduler != "rr" && service.scheduler != "wrr")
    return not_yet("scheduler " + service.scheduler + " is not available yet: use rr or wrr (-s)");
  return {};
}

Result<void> check_possible(const RealServer& server) {
  if (server.method != Method::direct)
    return not_yet(std::string(option_of(server.method)) + " is not available yet: use direct routing (-g)");
  if (server.upper_threshold != 0 || server.lower_threshold != 0)
    return not_yet("connection thresholds (-x, -y) are not available yet");
  if (is_loopback(server.endpoint.address)) return not_yet("a real server on the director itself is not available yet");
  return {};
}

}  // namespace penstock::model
