// The texts of -h and -v, as ipvsadm 1.31 has them: scripts read the version out of them.
#pragma once

#include <string>

namespace penstock::cli {

[[nodiscard]] std::string version_text();
// -h: the version, then the usage of a program of this name.
[[nodiscard]] std::string help_text(const std::string& program);

}  // namespace penstock::cli
