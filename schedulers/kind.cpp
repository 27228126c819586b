#include "schedulers/kind.hpp"

#include <algorithm>
#include <array>

namespace penstock::schedulers {
namespace {

struct Named {
  std::string_view name;
  Kind kind;
};

constexpr std::array<Named, 15> kinds = {{{"rr", Kind::rr},
                                          {"wrr", Kind::wrr},
                                          {"lc", Kind::lc},
                                          {"wlc", Kind::wlc},
                                          {"sed", Kind::sed},
                                          {"nq", Kind::nq},
                                          {"lblc", Kind::lblc},
                                          {"lblcr", Kind::lblcr},
                                          {"dh", Kind::dh},
                                          {"sh", Kind::sh},
                                          {"mh", Kind::mh},
                                          {"fo", Kind::fo},
                                          {"ovf", Kind::ovf},
                                          {"twos", Kind::twos},
                                          {"none", Kind::none}}};

}  // namespace

std::optional<Kind> kind_of(std::string_view name) {
  const auto* const found = std::ranges::find(kinds, name, &Named::name);
  if (found == kinds.end()) return std::nullopt;
  return found->kind;
}

}  // namespace penstock::schedulers
