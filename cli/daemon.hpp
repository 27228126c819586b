// What the programs of this room have in common: the daemon of this network namespace, and the end of their output.
#pragma once

#include <memory>
#include <ostream>

#include "api/director.hpp"
#include "base/result.hpp"

namespace penstock::cli {

// Connects when it is first asked.
class Daemon {
 public:
  [[nodiscard]] Result<api::Director*> director();

 private:
  std::unique_ptr<api::Director> director_;
};

inline constexpr int exit_output_lost = 255;

// `exit_code`, unless what was printed could not be written (a full disk under `ipvsadm -S > rules`).
[[nodiscard]] int finish_output(std::ostream& out, std::ostream& err, int exit_code);

}  // namespace penstock::cli
