// The journal on disk: /run/penstock/<inode of the network namespace>/realserver.json. One command at a time holds it.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "agent/journal.hpp"
#include "base/file.hpp"
#include "base/result.hpp"

namespace penstock::agent {

// Of the calling process.
[[nodiscard]] Result<HostIdentity> own_identity();

class JournalFile {
 public:
  // In /run, or in `directory` instead of /run/penstock/<inode>. Waits for another command that holds it.
  [[nodiscard]] static Result<JournalFile> open(const HostIdentity& identity, std::string directory = {});
  [[nodiscard]] const std::string& path() const { return path_; }

  // Nothing: there is none, or one about another boot or another network namespace.
  [[nodiscard]] Result<std::optional<Journal>> load() const;
  // The whole file or none of it, on disk when this returns.
  [[nodiscard]] Result<void> save(const Journal& journal) const;
  [[nodiscard]] Result<void> remove() const;

 private:
  JournalFile(std::string path, HostIdentity identity, File lock)
      : path_(std::move(path)), identity_(std::move(identity)), lock_(std::move(lock)) {}

  std::string path_;
  HostIdentity identity_;
  File lock_;
};

}  // namespace penstock::agent
