// Where schedules stand in Tables.schedules: regions of whole cache lines, first fit. A region that a schedule has left
// is used again only after a grace, since a CPU may still be reading from it.
//
// A value: it only counts cells, the table writer fills them.
#pragma once

#include <chrono>
#include <map>
#include <vector>

#include "base/result.hpp"
#include "datapath/abi/service.hpp"

namespace penstock::control {

// Cells are 8 bytes: regions begin at cache lines.
inline constexpr u32 schedule_alignment_cells = 8;
// A packet is through in microseconds; this also covers a CPU that was interrupted in between.
inline constexpr std::chrono::milliseconds schedule_grace{100};

class SchedulePool {
 public:
  explicit SchedulePool(u32 cells);

  // A region for `picks` picks, at least one. Error: no room (ENOMEM).
  Result<ScheduleRef> allocate(u32 picks, std::chrono::milliseconds now);
  // Takes a region that is in use already; false: it is not free, or outside the pool.
  bool keep(const ScheduleRef& region);
  void release(const ScheduleRef& region, std::chrono::milliseconds now);

 private:
  struct Left {
    ScheduleRef region;
    std::chrono::milliseconds since;
  };
  void free_what_is_due(std::chrono::milliseconds now);
  void give_back(u32 offset, u32 cells);

  std::map<u32, u32> free_;  // offset and length of each gap; neighbours are merged
  std::vector<Left> left_;   // oldest first
};

}  // namespace penstock::control
