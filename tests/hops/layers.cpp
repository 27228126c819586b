#include "tests/hops/layers.hpp"

#include <algorithm>

namespace penstock::hops {
namespace {

using golden::Fields;

const Fields* field(const Fields& of, const char* name) {
  const auto found = of.find(name);
  return found == of.end() ? nullptr : &*found;
}

struct Inside {
  std::string carries;
  const Fields* ip = nullptr;  // the next header, if this one begins a tunnel
};

Inside look_inside(const Fields& ip) {
  if (field(ip, "tcp")) return {"TCP"};
  if (const Fields* inner = field(ip, "inner")) return {"IPIP", inner};
  if (const Fields* gre = field(ip, "gre")) return {"GRE", field(*gre, "inner")};
  const Fields* udp = field(ip, "udp");
  const Fields* gue = udp ? field(*udp, "gue") : nullptr;
  if (gue) return {"GUE", field(*gue, "inner")};
  return {};
}

}  // namespace

std::vector<Layer> layers_of(const Fields& frame) {
  std::vector<Layer> layers;
  for (const Fields* ip = field(frame, "ip"); ip;) {
    const Inside inside = look_inside(*ip);
    layers.push_back({.ip = *ip, .carries = inside.carries});
    if (inside.carries == "TCP") return layers;
    ip = inside.ip;
  }
  return {};
}

bool has_wrong_checksum(const Fields& frame) {
  return std::ranges::any_of(frame.items(), [](const auto& item) {
    const bool is_verdict = item.key() == "csum_ok" || item.key() == "hcsum_ok" || item.key() == "csum";
    return (is_verdict && item.value() == false) || (item.value().is_object() && has_wrong_checksum(item.value()));
  });
}

}  // namespace penstock::hops
