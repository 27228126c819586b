// The documentation's pages as GitHub reads them: links, headings, quoted blocks, tables.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::tree {

struct PageLink {
  std::size_t line = 0;  // from 1
  std::string path;      // relative to the page; empty: the page itself
  std::string anchor;    // without #
};

// Links and pictures within the repository; what stands in code is none.
[[nodiscard]] std::vector<PageLink> links_of(std::string_view page);

// What links to a page's headings may name: "What is missing" → "what-is-missing".
[[nodiscard]] std::vector<std::string> anchors_of(std::string_view page);

// The contents of fenced blocks of this language.
[[nodiscard]] std::vector<std::string> blocks_of(std::string_view page, std::string_view language);

// The cells of each table row, without those of heads and rules.
[[nodiscard]] std::vector<std::vector<std::string>> table_rows_of(std::string_view page);

// All pages of the tree, but not what was built, as paths relative to `root`.
[[nodiscard]] std::vector<std::filesystem::path> pages_below(const std::filesystem::path& root);

}  // namespace penstock::tree
