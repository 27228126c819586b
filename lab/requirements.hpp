// What a lab needs of the machine, each thing tried rather than guessed.
#pragma once

#include <string>
#include <vector>

#include "lab/project.hpp"

namespace penstock::lab {

struct Requirement {
  std::string name;
  bool is_met = false;
  bool is_needed = true;  // else good to have
  std::string package;    // of Debian 12, where one helps
  std::string remark;
};

[[nodiscard]] std::vector<Requirement> check_requirements(const Project& project);

// "apt-get install …" for all missing packages; empty when none is missing.
[[nodiscard]] std::string install_command(const std::vector<Requirement>& requirements);

}  // namespace penstock::lab
