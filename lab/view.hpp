// A lab's picture with its live flows, on this process's terminal.
#pragma once

#include <string>

#include "base/result.hpp"
#include "lab/canvas.hpp"

namespace penstock::lab {

// Each second anew, until q, Ctrl-C, a signal or the lab's end, which is an error; the terminal is then as it was.
[[nodiscard]] Result<void> view(const std::string& name);

// The picture after one second, for `size`.
[[nodiscard]] Result<std::string> view_once(const std::string& name, const Size& size, bool with_styles);

}  // namespace penstock::lab
