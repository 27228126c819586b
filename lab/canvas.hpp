// A sheet of characters to draw on, one cell for each; what falls outside is not there. For characters one column wide.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::lab {

enum class Style { plain, bold, dim, flow };

struct Size {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

class Canvas {
 public:
  explicit Canvas(const Size& size) : size_(size), cells_(size.columns * size.rows) {}

  // `text` is UTF-8.
  void put(std::size_t column, std::size_t row, std::string_view text, Style style = Style::plain);
  // One character again and again.
  void fill(std::size_t column, std::size_t row, std::string_view character, std::size_t count,
            Style style = Style::plain);

  // Its rows without blanks at their ends and without empty ones at the end; with styles as ANSI sequences, or plain.
  [[nodiscard]] std::vector<std::string> rows(bool with_styles) const;

 private:
  struct Cell {
    std::string character = " ";
    Style style = Style::plain;
  };

  [[nodiscard]] std::string row(std::size_t at, bool with_styles) const;

  Size size_;
  std::vector<Cell> cells_;
};

}  // namespace penstock::lab
