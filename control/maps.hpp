// The data plane's tables in the kernel: BPF arrays, mapped into this process. They live as long as anything refers to them:
// this object, a pin, a loaded program.
#pragma once

#include <array>
#include <span>
#include <string>

#include "base/file.hpp"
#include "base/result.hpp"
#include "control/map_shape.hpp"
#include "datapath/native/tables.hpp"

namespace penstock::control {

class Maps {
 public:
  // New, all zero, known to nobody else.
  [[nodiscard]] static Result<Maps> create(const Config& config);
  // Those that pin() left in `directory`; they must have the shapes that `config` says.
  [[nodiscard]] static Result<Maps> open(const Config& config, const std::string& directory);
  // One file for each map, by its name, in `directory`, which exists on a bpffs.
  [[nodiscard]] Result<void> pin(const std::string& directory) const;

  Maps(Maps&& other) noexcept;
  Maps& operator=(Maps&&) = delete;
  ~Maps();

  [[nodiscard]] int fd(MapId id) const { return files_[static_cast<std::size_t>(id)].fd(); }
  [[nodiscard]] const Tables& tables() const { return tables_; }

 private:
  Maps() = default;

  Result<void> map_memory();
  template <typename Row>
  [[nodiscard]] std::span<Row> rows(MapId id) const;

  std::array<File, map_ids> files_;
  std::array<std::span<std::byte>, map_ids> memory_{};
  Tables tables_;
};

}  // namespace penstock::control
