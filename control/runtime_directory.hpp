// /run/penstock/<inode>: what belongs to the one daemon of a network namespace. Held for as long as the object lives.
#pragma once

#include <string>

#include "base/file.hpp"
#include "base/result.hpp"
#include "control/log.hpp"
#include "control/network_namespace.hpp"

namespace penstock::control {

class RuntimeDirectory {
 public:
  // Error: busy when another daemon holds it, with its process number. State that a dead network namespace of the same number
  // left is put aside.
  [[nodiscard]] static Result<RuntimeDirectory> claim(const std::string& path,
                                                      const NetworkNamespace& network_namespace, const Log& log);

  [[nodiscard]] std::string state_path() const { return path_ + "/state.json"; }

 private:
  RuntimeDirectory(std::string path, File lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  File lock_;
};

}  // namespace penstock::control
