#include "doctor/look/proc.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace penstock::doctor {
namespace {

std::istringstream line_of(std::ifstream& file) {
  std::string line;
  std::getline(file, line);
  return std::istringstream(line);
}

// Two lines: names, and values below them.
std::uint64_t read_ipv4() {
  std::ifstream file("/proc/net/snmp");
  auto names = line_of(file);
  auto values = line_of(file);
  std::string name;
  std::string value;
  while (names >> name && values >> value)
    if (name == "InAddrErrors") return std::strtoull(value.c_str(), nullptr, 10);
  return 0;
}

std::uint64_t read_ipv6() {
  std::ifstream file("/proc/net/snmp6");
  std::string name;
  std::uint64_t value = 0;
  while (file >> name >> value)
    if (name == "Ip6InAddrErrors") return value;
  return 0;
}

}  // namespace

std::optional<int> read_sysctl(const std::string& name) {
  std::ifstream file("/proc/sys/" + name);
  int value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

int read_interface_sysctl(const std::string& interface, const std::string& name) {
  const std::string folder = "net/ipv4/conf/";
  return std::max(read_sysctl(folder + "all/" + name).value_or(0),
                  read_sysctl(folder + interface + "/" + name).value_or(0));
}

std::uint64_t read_unforwarded(model::Family family) {
  return family == model::Family::ipv4 ? read_ipv4() : read_ipv6();
}

}  // namespace penstock::doctor
