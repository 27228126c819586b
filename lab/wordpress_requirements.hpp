// What the wordpress topology needs of the machine beyond a lab itself. No other topology misses it.
#pragma once

#include <vector>

#include "lab/requirements.hpp"

namespace penstock::lab {

[[nodiscard]] std::vector<Requirement> check_wordpress_requirements(const Project& project);

}  // namespace penstock::lab
