// What IPVS has and Penstock cannot do yet. Whoever makes one of these possible
// deletes its lines here. A refusal is ErrorCode::unsupported and a sentence
// that says what to use instead; what IPVS itself would refuse is in
// desired_state.
#pragma once

#include "base/result.hpp"
#include "model/service.hpp"

namespace penstock::model {

[[nodiscard]] Result<void> check_possible(const Service& service);
[[nodiscard]] Result<void> check_possible(const RealServer& server);

}  // namespace penstock::model
