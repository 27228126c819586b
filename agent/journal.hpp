// What `start` has changed, or is about to: each setting with the value that it found and the one that it wants. Written before the
// host is touched, so that `stop` knows what to put back wherever a start was interrupted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/setting.hpp"
#include "base/result.hpp"

namespace penstock::agent {

struct Change {
  Setting setting;
  std::string found;
  std::string wanted;
  std::string made_from;  // of programs: what they were told; another text needs another program

  friend bool operator==(const Change&, const Change&) = default;
};

struct Journal {
  std::string purpose;          // for people: "direct 192.0.2.40"
  std::vector<Change> changes;  // in the order in which they are made

  friend bool operator==(const Journal&, const Journal&) = default;
};

// The host that a journal is about. What another boot or another network namespace left says nothing about this one.
struct HostIdentity {
  std::string boot_id;
  std::string network_namespace;  // its cookie: unlike the inode it is never given twice during a boot

  friend bool operator==(const HostIdentity&, const HostIdentity&) = default;
};

[[nodiscard]] const Change* find_change(const Journal& journal, const Setting& setting);

[[nodiscard]] std::string encode(const Journal& journal, const HostIdentity& identity);
// Nothing: a journal about another host. Error: not a journal.
[[nodiscard]] Result<std::optional<Journal>> decode(std::string_view text, const HostIdentity& identity);

}  // namespace penstock::agent
