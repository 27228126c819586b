#include "lab/canvas.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::lab {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Canvas, a_character_of_several_bytes_takes_one_cell) {
  Canvas canvas({.columns = 6, .rows = 1});
  canvas.put(0, 0, "a─▲b");
  canvas.put(1, 0, "x");
  EXPECT_THAT(canvas.rows(false), ElementsAre("ax▲b"));
}

TEST(Canvas, what_falls_outside_is_not_there) {
  Canvas canvas({.columns = 3, .rows = 2});
  canvas.put(1, 1, "abc");
  canvas.put(0, 2, "abc");
  canvas.fill(2, 0, "━", 5);
  EXPECT_THAT(canvas.rows(false), ElementsAre("  ━", " ab"));
  EXPECT_THAT(Canvas({.columns = 0, .rows = 0}).rows(false), IsEmpty());
}

TEST(Canvas, empty_rows_stay_between_but_not_at_the_end) {
  Canvas canvas({.columns = 4, .rows = 4});
  canvas.put(0, 0, "a");
  canvas.put(0, 2, "b  ");
  EXPECT_THAT(canvas.rows(false), ElementsAre("a", "", "b"));
}

TEST(Canvas, styles_begin_where_they_change_and_end_with_the_row) {
  Canvas canvas({.columns = 5, .rows = 1});
  canvas.put(0, 0, "a");
  canvas.put(1, 0, "bc", Style::bold);
  canvas.put(3, 0, "d", Style::flow);
  EXPECT_THAT(canvas.rows(true), ElementsAre("a\x1b[0;1mbc\x1b[0;32md\x1b[0m"));
}

}  // namespace
}  // namespace penstock::lab
