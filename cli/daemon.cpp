#include "cli/daemon.hpp"

#include <utility>

#include "api/client.hpp"

namespace penstock::cli {

Result<api::Director*> Daemon::director() {
  if (!director_) {
    auto connected = api::connect();
    if (!connected) return fail(connected.error());
    director_ = *std::move(connected);
  }
  return director_.get();
}

int finish_output(std::ostream& out, std::ostream& err, int exit_code) {
  if (out.flush()) return exit_code;
  err << "writing the output failed\n";
  return exit_output_lost;
}

}  // namespace penstock::cli
