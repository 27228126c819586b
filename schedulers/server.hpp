// What a scheduler's table is made of: a service's real servers, always listed newest first, as IPVS does.
#pragma once

#include <cstdint>

#include "model/address.hpp"

namespace penstock::schedulers {

struct Server {
  std::int32_t weight = 0;       // never negative
  std::int32_t last_weight = 0;  // the last one that was not 0; 0 only for a server that never had another
  model::Endpoint endpoint;
};

}  // namespace penstock::schedulers
