// The server's file handles under the numbers by which the kernel knows them. A number is given once and never again, so that a late
// request can't meet another file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace penstock::lab {

// What tells one content of a file from the next, as far as NFSv3 can: RFC 1813 §2.5, fattr3.
struct Version {
  std::uint64_t size = 0;      // bytes
  std::uint64_t mtime_ns = 0;  // since 1970
  std::uint64_t ctime_ns = 0;

  friend bool operator==(const Version&, const Version&) = default;
};

class NodeTable {
 public:
  static constexpr std::uint64_t root = 1;  // FUSE_ROOT_ID

  explicit NodeTable(std::string root_handle);

  // The number of this handle; the kernel has now looked it up once more.
  std::uint64_t look_up(std::string_view handle);

  // The kernel takes back that many look-ups; with the last one the number is gone. The root stays.
  void forget(std::uint64_t number, std::uint64_t lookups);

  // Of a number that the kernel still knows.
  [[nodiscard]] const std::string& handle(std::uint64_t number) const { return nodes_.at(number).handle; }

  // Whether the file was opened before and has had this version then, too. Remembers it for the next time.
  bool is_unchanged_since_last_open(std::uint64_t number, const Version& version);

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

 private:
  struct Node {
    std::string handle;
    std::uint64_t lookups = 0;
    std::optional<Version> opened{};
  };

  std::unordered_map<std::uint64_t, Node> nodes_;
  std::unordered_map<std::string, std::uint64_t> numbers_;
  std::uint64_t last_number_ = root;
};

}  // namespace penstock::lab
