#include "schedulers/ranked_table.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace penstock::schedulers {
namespace {

using Weights = std::vector<std::int32_t>;
using Positions = std::vector<std::uint32_t>;

struct RankedCase {
  const char* name;
  Weights weights;
  Positions table;
};

const RankedCase cases[] = {
    {"no servers", {}, {}},
    {"one server", {1}, {0}},
    {"all quiesced", {0, 0}, {}},
    {"ties in list order", {2, 2, 2}, {0, 1, 2}},
    {"heaviest first, quiesced left out", {2, 3, 0, 1, 3}, {1, 4, 0, 3}},
    {"the largest weight there is", {1, std::numeric_limits<std::int32_t>::max()}, {1, 0}},
    // The services of recordings as they stand before each run of new connections; newest first.
    {"sched-fo-p: added 1, 3, 2", {2, 3, 1}, {1, 0, 2}},
    {"sched-fo-p: rs2 set to 0", {2, 0, 1}, {0, 2}},
    {"sched-fo-p: rs1 set to 100", {2, 0, 100}, {2, 0}},
    {"sched-fo-p: rs1 deleted", {2, 0}, {0}},
    {"sched-ovf-p: added 2, 3, 1", {1, 3, 2}, {1, 2, 0}},
};

TEST(ranked_table, orders_by_weight) {
  for (const RankedCase& tested : cases) EXPECT_EQ(ranked_table(tested.weights), tested.table) << tested.name;
}

}  // namespace
}  // namespace penstock::schedulers
