// Where the daemon's parts say what an operator should know, one line each in plain words. Empty functions are not allowed:
// silent() is for tests.
#pragma once

#include <functional>
#include <string>

namespace penstock::control {

struct Log {
  std::function<void(const std::string&)> info;
  std::function<void(const std::string&)> warn;
};

[[nodiscard]] inline Log silent() {
  return {[](const std::string&) {}, [](const std::string&) {}};
}

}  // namespace penstock::control
