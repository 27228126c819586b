// What a forwarding method is in a lab: the topology made for it, what ipvsadm is told, and which addresses are who.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace penstock::serving {

enum class Family { ipv4, ipv6 };

// In a topology, for one family.
struct Addresses {
  std::string client;
  std::string vip;
  std::string servers[2];             // rs1, rs2
  std::vector<std::string> locals{};  // of full NAT
};

struct MethodCase {
  std::string name;  // of letters and digits: it becomes part of a test's name
  std::string topology;
  std::string options;  // of `ipvsadm -a`
  bool maps_ports;  // nginx listens on 8080 there, not on 80; so do the other servers on other ports than the service's
  bool reply_passes;     // replies go through the director
  unsigned overhead[2];  // bytes around each packet, by family
  bool to_ipv4 = false;  // IPv4 servers behind an IPv6 VIP
};

struct Case {
  MethodCase method;
  Family family;
};

[[nodiscard]] const std::vector<MethodCase>& methods();
// A method that leads from IPv6 to IPv4 is one case only, of IPv6.
[[nodiscard]] std::vector<Case> each_family(const std::vector<MethodCase>& of);
[[nodiscard]] std::vector<Case> cases_of(std::string_view topology);  // direct, nat, tunnel, fullnat
[[nodiscard]] Addresses addresses_of(const Case& c);

[[nodiscard]] std::string to_string(const Case& c);  // tunnel_gre_ipv6
std::ostream& operator<<(std::ostream& out, const Case& c);

// 192.0.2.40:80, [2001:db8:2::40]:80
[[nodiscard]] std::string endpoint(const std::string& address, unsigned port);

}  // namespace penstock::serving
