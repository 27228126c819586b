// The host, as `start`, `stop` and `status` see it.
#pragma once

#include <string>

#include "agent/setting.hpp"
#include "base/result.hpp"

namespace penstock::agent {

class Host {
 public:
  Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  virtual ~Host() = default;

  // Error not_found: what the setting belongs to (an interface, a protocol family) is gone.
  [[nodiscard]] virtual Result<std::string> read(const Setting& setting) = 0;
  [[nodiscard]] virtual Result<void> write(const Setting& setting, const std::string& value) = 0;
  // Loads a program by its name, without attaching it, and says what `write` is to be given: its name and number. It stays loaded
  // as long as it is attached or this object lives.
  [[nodiscard]] virtual Result<std::string> load(const std::string& program) = 0;
};

}  // namespace penstock::agent
