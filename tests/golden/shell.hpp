// As much of a shell as recordings use around ipvsadm: lists (; && ||), pipes, files in and out, quotes, $?, $name, $(…), *, and
// `for`. Its words are echo, cat, cd, diff and ipvsadm; whatever else stands in a line is ErrorCode::unsupported.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tests/golden/run.hpp"

namespace penstock::golden {

// The director's machine as a shell sees it. Paths are absolute.
class Files {
 public:
  virtual ~Files() = default;
  [[nodiscard]] virtual Result<std::string> read(const std::string& path) = 0;
  [[nodiscard]] virtual Result<void> write(const std::string& path, const std::string& text) = 0;
  // Names in a folder, sorted.
  [[nodiscard]] virtual std::vector<std::string> list(const std::string& folder) = 0;
};

// Runs one ipvsadm: its words, "ipvsadm" first, and what it is given to read.
using Program = std::function<Result<StepResult>(const std::vector<std::string>& words, const std::string& input)>;

// Error: ErrorCode::unsupported, for what this shell does not know; or what `ipvsadm` gave as an error.
[[nodiscard]] Result<StepResult> run_shell(const std::string& line, const std::string& input, Files& files,
                                           const Program& ipvsadm);

}  // namespace penstock::golden
