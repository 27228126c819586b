// Who may include whom: the rules that keep the rooms apart, as a function of one source file's path and text.
// They are narrower than what CMake links, because headers of any room are within the compiler's reach.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace penstock::tree {

struct Source {
  std::string_view path;  // relative to the repository's root, "model/address.hpp"
  std::string_view text;
};

// One line for each breach, "model/address.hpp:7: …"; empty when the file keeps the rules.
[[nodiscard]] std::vector<std::string> breaches(const Source& source);

// "datapath/abi" and its sisters, "tests", "model"; empty for a path outside all rooms.
[[nodiscard]] std::string_view room_of(std::string_view path);

}  // namespace penstock::tree
