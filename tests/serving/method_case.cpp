#include "tests/serving/method_case.hpp"

namespace penstock::serving {

const std::vector<MethodCase>& methods() {
  static const std::vector<MethodCase> all{
      {"direct", "direct", "-g", false, false, {0, 0}},
      {"nat", "nat", "-m", true, true, {0, 0}},
      {"ipip", "tunnel", "-i", false, false, {20, 40}},
      {"gre", "tunnel", "-i --tun-type gre --tun-nocsum", false, false, {24, 44}},
      {"gre_checksum", "tunnel", "-i --tun-type gre --tun-csum", false, false, {28, 48}},
      {"gue", "tunnel", "-i --tun-type gue --tun-port 6080 --tun-nocsum", false, false, {32, 52}},
      {"gue_checksum", "tunnel", "-i --tun-type gue --tun-port 6080 --tun-csum", false, false, {32, 52}},
      {"fullnat", "fullnat", "--fullnat", true, true, {0, 0}},
      {"fullnat_to_ipv4", "fullnat", "--fullnat", true, true, {0, 0}, true},
  };
  return all;
}

std::vector<Case> each_family(const std::vector<MethodCase>& of) {
  std::vector<Case> cases;
  for (const MethodCase& method : of) {
    if (!method.to_ipv4) cases.push_back({method, Family::ipv4});
    cases.push_back({method, Family::ipv6});
  }
  return cases;
}

std::vector<Case> cases_of(std::string_view topology) {
  std::vector<MethodCase> chosen;
  for (const MethodCase& method : methods()) {
    if (method.topology == topology) chosen.push_back(method);
  }
  return each_family(chosen);
}

Addresses addresses_of(const Case& c) {
  const bool is_ipv4 = c.family == Family::ipv4;
  if (c.method.topology == "direct") {
    return is_ipv4 ? Addresses{"172.16.0.10", "172.16.0.40", {"172.16.0.32", "172.16.0.33"}}
                   : Addresses{"fd00:ac10::10", "fd00:ac10::40", {"fd00:ac10::32", "fd00:ac10::33"}};
  }
  const bool has_ipv4_servers = is_ipv4 || c.method.to_ipv4;
  Addresses addresses =
      is_ipv4 ? Addresses{"192.0.2.10", "192.0.2.40", {}} : Addresses{"2001:db8:2::10", "2001:db8:2::40", {}};
  const std::string network = has_ipv4_servers ? "10.0.0." : "fd00:10::";
  for (std::size_t i = 0; i < 2; ++i) addresses.servers[i] = network + std::to_string(32 + i);
  if (c.method.topology == "fullnat") {
    addresses.locals = has_ipv4_servers ? std::vector<std::string>{"10.9.0.1", "10.9.0.2"}
                                        : std::vector<std::string>{"fd00:9::1", "fd00:9::2"};
  }
  return addresses;
}

std::string to_string(const Case& c) { return c.method.name + (c.family == Family::ipv4 ? "_ipv4" : "_ipv6"); }

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << to_string(c); }

std::string endpoint(const std::string& address, unsigned port) {
  const bool is_ipv6 = address.find(':') != address.npos;
  return (is_ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

}  // namespace penstock::serving
