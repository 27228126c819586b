// The stored state as a file: JSON, replaced as a whole (written beside, synced, renamed), readable for root only.
//
// A file that cannot be understood is an error, never an empty state: a director that started empty would take every
// service out of tables that still forward packets. The message names the file; the operator mends it or moves it away.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "control/stored_state.hpp"

namespace penstock::control {

// Version 1 knew no settings, mark rules or local addresses: it is read as having none.
inline constexpr int store_version = 2;

class Store {
 public:
  explicit Store(std::string path) : path_(std::move(path)) {}

  // Nothing: there is no such file. Its directory must exist.
  [[nodiscard]] Result<std::optional<StoredState>> load() const;
  // On disk when this returns.
  [[nodiscard]] Result<void> save(const StoredState& state) const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The codec alone. An error says where in the document.
[[nodiscard]] std::string encode(const StoredState& state);
[[nodiscard]] Result<StoredState> decode(const std::string& text);

}  // namespace penstock::control
