// Lines of `ipvsadm -R` as argument lists. There is no quoting and no comment: blanks separate words, and that is all.
#pragma once

#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace penstock::cli {

// The next line's words with `program` before them, or nothing at the end of `in`. Words "ipvsadm" are left out, so that a script of
// ipvsadm commands restores too.
[[nodiscard]] std::optional<std::vector<std::string>> read_restore_line(std::istream& in, const std::string& program);

}  // namespace penstock::cli
