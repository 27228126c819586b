// The documentation holds together: links lead somewhere, every page is reached from docs/README.md, quoted packets are those that were
// captured, and the page of reasons has the packet path's own.
#include "tests/tree/pages.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

#include "datapath/abi/reason.hpp"

namespace penstock::tree {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;

const fs::path root = PENSTOCK_SOURCE_DIR;

std::string text_of(const fs::path& page) {
  std::ifstream file(root / page);
  EXPECT_TRUE(file) << page;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

fs::path target_of(const fs::path& page, const PageLink& link) {
  return link.path.empty() ? page : (page.parent_path() / link.path).lexically_normal();
}

TEST(Pages, links_are_read_as_a_browser_does) {
  const auto links = links_of(
      "see [this](a/b.md#part) and ![that](c.svg)\n```\n[no](code.md)\n```\n`[no](x.md)` "
      "[web](https://x.y/z)\n[here](#top)");
  const auto link = [](std::size_t line, const char* path, const char* anchor) {
    return AllOf(Field(&PageLink::line, line), Field(&PageLink::path, path), Field(&PageLink::anchor, anchor));
  };
  EXPECT_THAT(links, ElementsAre(link(1, "a/b.md", "part"), link(1, "c.svg", ""), link(6, "", "top")));
}

TEST(Pages, headings_become_anchors) {
  EXPECT_THAT(anchors_of("# What is missing\ntext\n```\n# a comment\n```\n## `--pe sip`, too\n#no heading\n"),
              ElementsAre("what-is-missing", "--pe-sip-too"));
}

TEST(Pages, blocks_and_tables_are_found) {
  EXPECT_THAT(blocks_of("```text\none\ntwo\n```\n```\nnone\n```\n", "text"), ElementsAre("one\ntwo\n"));
  EXPECT_THAT(table_rows_of("| a | b |\n|---|---|\n| 1 | 2 |\n"), ElementsAre(ElementsAre("1", "2")));
}

TEST(Pages, no_link_is_broken) {
  const auto pages = pages_below(root);
  EXPECT_THAT(pages, AllOf(Contains("README.md"), Contains("docs/README.md")));
  for (const fs::path& page : pages) {
    for (const PageLink& link : links_of(text_of(page))) {
      const fs::path target = target_of(page, link);
      const auto where = page.string() + ":" + std::to_string(link.line);
      EXPECT_TRUE(fs::exists(root / target)) << where << ": there is no " << target;
      if (link.anchor.empty() || target.extension() != ".md" || !fs::exists(root / target)) continue;
      EXPECT_THAT(anchors_of(text_of(target)), Contains(link.anchor)) << where << ": no such heading in " << target;
    }
  }
}

TEST(Pages, every_page_of_docs_is_reached_from_its_readme) {
  std::set<fs::path> reached{"docs/README.md"};
  for (std::vector<fs::path> next{"docs/README.md"}; !next.empty();) {
    const fs::path page = next.back();
    next.pop_back();
    for (const PageLink& link : links_of(text_of(page))) {
      const fs::path target = target_of(page, link);
      if (target.extension() == ".md" && fs::exists(root / target) && reached.insert(target).second)
        next.push_back(target);
    }
  }
  for (const fs::path& page : pages_below(root)) {
    if (page.string().starts_with("docs/")) {
      EXPECT_THAT(reached, Contains(page)) << "no page leads there";
    }
  }
}

TEST(Pages, quoted_packets_are_those_that_were_captured) {
  std::set<fs::path> quoted;
  for (const fs::path& page : pages_below(root / "docs/methods")) {
    for (const std::string& block : blocks_of(text_of("docs/methods" / page), "text")) {
      bool is_captured = false;
      for (const auto& capture : fs::directory_iterator(root / "docs/packets")) {
        if (capture.path().extension() != ".txt" || text_of(capture.path()).find(block) == std::string::npos) continue;
        is_captured = true;
        quoted.insert(capture.path().filename());
      }
      EXPECT_TRUE(is_captured) << page << " quotes what is in no file of docs/packets:\n" << block;
    }
  }
  EXPECT_THAT(quoted, ElementsAre("direct-two-routers.txt", "direct.txt", "fullnat.txt", "nat.txt", "tunnel.txt"));
}

TEST(Pages, reasons_are_those_of_the_packet_path) {
  std::vector<std::vector<std::string>> expected;
#define PEN_REASON_ROW(name, sentence) expected.push_back({"`" #name "`", sentence});
  PEN_REASONS(PEN_REASON_ROW)
#undef PEN_REASON_ROW
  auto rows = table_rows_of(text_of("docs/reference/reasons.md"));
  for (auto& row : rows) {
    ASSERT_EQ(row.size(), 3U) << row[0];
    EXPECT_FALSE(row[2].empty()) << row[0] << ": what to do?";
    row.pop_back();
  }
  EXPECT_THAT(rows, testing::ElementsAreArray(expected));
}

}  // namespace
}  // namespace penstock::tree
