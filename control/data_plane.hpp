// The data plane of this network namespace: maps and programs, pinned, so that they go on when the daemon ends. A daemon that
// finds the maps of a former one adopts them, with their secret and sizes, and loads its own program over them.
//
// <bpffs>/penstock/<inode of the network namespace>/
//   maps/<name>          the tables (map_shape.hpp)
//   config               PinnedConfig; written last, so that without it the rest is a leftover
//   links/<interface>    the attached XDP program, by the interface's index (attachments.hpp)
//   qdiscs/<interface>   the interface's clsact was made by us, for the TC program (tc_filter.hpp)
#pragma once

#include <memory>
#include <string>

#include "control/loader.hpp"
#include "control/log.hpp"
#include "control/network_namespace.hpp"

namespace penstock::control {

// Stays readable for every later version: `abi_version` is always the first word.
struct PinnedConfig {
  u32 abi_version;
  u32 zero;
  u64 namespace_cookie;
  Config config;
};

class DataPlane {
 public:
  struct Options {
    std::string directory;  // see above
    Config wanted;          // with a fresh secret; of adopted tables their own config counts
    u64 namespace_cookie;
  };

  [[nodiscard]] static Result<std::unique_ptr<DataPlane>> start(const Options& options, const Log& log);
  // Detaches and removes everything in `directory`. Nothing there is no error. False: there was nothing.
  [[nodiscard]] static Result<bool> unload(const std::string& directory);

  [[nodiscard]] const Tables& tables() const { return maps_.tables(); }
  [[nodiscard]] const LoadedPrograms& programs() const { return programs_; }
  // Loaded when it is first asked for: verifying it takes as long as everything else at the start.
  [[nodiscard]] Result<int> tc_program(TcProgram which);
  [[nodiscard]] std::string links_directory() const { return directory_ + "/links"; }
  [[nodiscard]] std::string qdiscs_directory() const { return directory_ + "/qdiscs"; }

 private:
  DataPlane(std::string directory, Maps maps, LoadedPrograms programs)
      : directory_(std::move(directory)), maps_(std::move(maps)), programs_(std::move(programs)) {}

  std::string directory_;
  Maps maps_;
  LoadedPrograms programs_;
  File tc_in_;
  File tc_out_;
};

// <bpffs>/penstock/<inode>
[[nodiscard]] std::string pin_directory(const std::string& bpffs, const NetworkNamespace& network_namespace);

}  // namespace penstock::control
