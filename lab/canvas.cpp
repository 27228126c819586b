#include "lab/canvas.hpp"

#include <cstdlib>

namespace penstock::lab {
namespace {

std::string_view sequence_of(Style style) {
  switch (style) {
    case Style::plain:
      return "\x1b[0m";
    case Style::bold:
      return "\x1b[0;1m";
    case Style::dim:
      return "\x1b[0;2m";
    case Style::flow:
      return "\x1b[0;32m";
  }
  std::abort();
}

// RFC 3629: bytes 10xxxxxx continue a character.
bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U; }

std::string_view first_character(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && continues(text[size])) ++size;
  return text.substr(0, size);
}

}  // namespace

void Canvas::put(std::size_t column, std::size_t row, std::string_view text, Style style) {
  for (; !text.empty(); ++column) {
    const std::string_view character = first_character(text);
    if (column < size_.columns && row < size_.rows) {
      cells_[row * size_.columns + column] = {.character = std::string(character), .style = style};
    }
    text.remove_prefix(character.size());
  }
}

void Canvas::fill(std::size_t column, std::size_t row, std::string_view character, std::size_t count, Style style) {
  for (std::size_t i = 0; i < count; ++i) put(column + i, row, character, style);
}

std::vector<std::string> Canvas::rows(bool with_styles) const {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < size_.rows; ++at) all.push_back(row(at, with_styles));
  while (!all.empty() && all.back().empty()) all.pop_back();
  return all;
}

std::string Canvas::row(std::size_t at, bool with_styles) const {
  std::size_t end = size_.columns;
  while (end > 0 && cells_[at * size_.columns + end - 1].character == " ") --end;
  std::string text;
  Style style = Style::plain;
  for (std::size_t column = 0; column < end; ++column) {
    const Cell& cell = cells_[at * size_.columns + column];
    if (with_styles && cell.style != style) text += sequence_of(cell.style);
    style = cell.style;
    text += cell.character;
  }
  if (with_styles && style != Style::plain) text += sequence_of(Style::plain);
  return text;
}

}  // namespace penstock::lab
