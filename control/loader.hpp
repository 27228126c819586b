// Loads the data plane's programs over a set of maps. Nothing is pinned or attached here, so that tests and benches load and
// run (BPF_PROG_TEST_RUN) exactly what serves packets.
#pragma once

#include "base/file.hpp"
#include "base/result.hpp"
#include "control/maps.hpp"
#include "control/tc_program.hpp"

namespace penstock::control {

struct LoadedPrograms {
  File xdp;    // penstock_xdp
  File clock;  // penstock_clock: writes the packet path's 64-bit time to the frame's first eight bytes
};

// The verifier's last words are in the error's sentence.
[[nodiscard]] Result<LoadedPrograms> load_programs(const Maps& maps);

// Apart, because verifying takes as long again and few machines need all of them.
[[nodiscard]] Result<File> load_tc_program(const Maps& maps, TcProgram which);

struct LoadedProgram {
  Maps maps;
  LoadedPrograms programs;

  [[nodiscard]] int program() const { return programs.xdp.fd(); }
  [[nodiscard]] const Tables& tables() const { return maps.tables(); }
};

// New tables and the programs over them. `config.cpus` must be counter_rows().
[[nodiscard]] Result<LoadedProgram> load(const Config& config);

// Rows that per-CPU counters need: one for each possible CPU, and the last for the daemon, which runs the packet path, too.
[[nodiscard]] Result<u32> counter_rows();

}  // namespace penstock::control
