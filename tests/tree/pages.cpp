#include "tests/tree/pages.hpp"

#include <algorithm>
#include <cctype>
#include <regex>
#include <sstream>

namespace penstock::tree {
namespace {

namespace fs = std::filesystem;

struct Line {
  std::size_t number;
  std::string text;
  bool is_code;
};

std::vector<Line> lines_of(std::string_view page) {
  std::vector<Line> lines;
  std::istringstream stream{std::string(page)};
  bool is_code = false;
  for (std::string text; std::getline(stream, text);) {
    const std::size_t indent = text.find_first_not_of(' ');
    const bool is_fence = indent != text.npos && text.compare(indent, 3, "```") == 0;
    lines.push_back({lines.size() + 1, text, is_code || is_fence});
    if (is_fence) is_code = !is_code;
  }
  return lines;
}

std::string without_code(const std::string& text) {
  static const std::regex code("`[^`]*`");
  return std::regex_replace(text, code, "``");
}

bool is_elsewhere(const std::string& target) {
  return target.find("://") != target.npos || target.starts_with("mailto:");
}

// Of bytes above 127, which are parts of letters here, all are kept.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 127 || std::isalnum(byte) || c == '-' || c == '_') anchor += static_cast<char>(std::tolower(byte));
    if (c == ' ') anchor += '-';
  }
  return anchor;
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == text.npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> cells_of(const std::string& row) {
  std::vector<std::string> cells;
  std::istringstream stream(row.substr(1));
  for (std::string cell; std::getline(stream, cell, '|');) cells.push_back(trimmed(cell));
  return cells;
}

bool is_table_row(const Line& line) { return !line.is_code && line.text.starts_with("|"); }
bool is_rule(const Line& line) { return line.text.starts_with("|--"); }

}  // namespace

std::vector<PageLink> links_of(std::string_view page) {
  static const std::regex link(R"(\]\(([^)#\s]*)(?:#([^)\s]*))?\))");
  std::vector<PageLink> links;
  for (const Line& line : lines_of(page)) {
    if (line.is_code) continue;
    const std::string text = without_code(line.text);
    for (std::sregex_iterator found(text.begin(), text.end(), link), end; found != end; ++found) {
      if (!is_elsewhere((*found)[1])) links.push_back({line.number, (*found)[1], (*found)[2]});
    }
  }
  return links;
}

std::vector<std::string> anchors_of(std::string_view page) {
  std::vector<std::string> anchors;
  for (const Line& line : lines_of(page)) {
    const std::size_t level = line.text.find_first_not_of('#');
    if (line.is_code || level == 0 || level == line.text.npos || line.text[level] != ' ') continue;
    anchors.push_back(anchor_of(line.text.substr(level + 1)));
  }
  return anchors;
}

std::vector<std::string> blocks_of(std::string_view page, std::string_view language) {
  const std::string fence = "```" + std::string(language);
  std::vector<std::string> blocks;
  bool is_inside = false;
  for (const Line& line : lines_of(page)) {
    if (line.text == "```") is_inside = false;
    if (is_inside) blocks.back() += line.text + "\n";
    if (line.text == fence) {
      is_inside = true;
      blocks.emplace_back();
    }
  }
  return blocks;
}

std::vector<std::vector<std::string>> table_rows_of(std::string_view page) {
  std::vector<std::vector<std::string>> rows;
  const std::vector<Line> lines = lines_of(page);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool is_head = i + 1 < lines.size() && is_rule(lines[i + 1]);
    if (is_table_row(lines[i]) && !is_rule(lines[i]) && !is_head) rows.push_back(cells_of(lines[i].text));
  }
  return rows;
}

std::vector<fs::path> pages_below(const fs::path& root) {
  std::vector<fs::path> pages;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator(); ++entry) {
    const std::string name = entry->path().filename();
    const bool is_ours = !name.starts_with(".") && !(entry.depth() == 0 && name.starts_with("build"));
    if (entry->is_directory() && !is_ours) entry.disable_recursion_pending();
    if (entry->path().extension() == ".md") pages.push_back(fs::relative(entry->path(), root));
  }
  std::ranges::sort(pages);
  return pages;
}

}  // namespace penstock::tree
