// What is known of a lab on disk: /run/penstock-lab/NAME holds its lock, topology, processes and logs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "lab/process.hpp"

namespace penstock::lab {

inline constexpr std::size_t lab_name_size_max = 64;

// Letters, digits, '-', '_' and '.', not beginning with '.': it becomes a folder's name.
[[nodiscard]] Result<void> check_lab_name(std::string_view name);

struct NamedProcess {
  std::string name;
  ProcessId process;
};

// Only hosts and their daemons, or all that the topology says: `then` lines and forwards, too.
enum class Extent { bare, whole };

struct LabState {
  std::string topology_path;
  std::string topology_text;  // in force
  Extent extent = Extent::whole;
  std::optional<ProcessId> supervisor;
  std::vector<NamedProcess> hosts;  // their pid 1s, the switch among them
  std::vector<std::string> urls;    // where this machine's forwards are
  bool ready = false;               // `up` came to its end
};

class LabFolder {
 public:
  explicit LabFolder(const std::string& name) : path_("/run/penstock-lab/" + name) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string staging() const { return path_ + "/staging"; }
  [[nodiscard]] std::string log(std::string_view host) const { return path_ + "/" + std::string(host) + ".log"; }
  [[nodiscard]] bool exists() const;

  // One command at a time changes a lab; makes the folder. The lock lasts as long as the descriptor.
  [[nodiscard]] Result<FileDescriptor> lock() const;

  [[nodiscard]] LabState load() const;  // what is missing or unreadable is left at its default
  [[nodiscard]] Result<void> save_topology(const std::string& topology_path, const std::string& text,
                                           Extent extent) const;
  [[nodiscard]] Result<void> save_processes(const ProcessId& supervisor, const std::vector<NamedProcess>& hosts) const;
  [[nodiscard]] Result<void> save_urls(const std::vector<std::string>& urls) const;
  [[nodiscard]] Result<void> mark_ready() const;
  [[nodiscard]] Result<void> clear() const;   // all but the lock
  [[nodiscard]] Result<void> remove() const;  // the lock, too: it locks nobody out any more

 private:
  std::string path_;
};

}  // namespace penstock::lab
