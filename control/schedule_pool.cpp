#include "control/schedule_pool.hpp"

#include <cerrno>
#include <string>

namespace penstock::control {
namespace {

u32 cells_for(u32 picks) {
  const u32 cells = schedule_header_cells + picks;
  return (cells + schedule_alignment_cells - 1) / schedule_alignment_cells * schedule_alignment_cells;
}

}  // namespace

SchedulePool::SchedulePool(u32 cells) {
  const u32 whole_lines = cells / schedule_alignment_cells * schedule_alignment_cells;
  if (whole_lines > 0) free_[0] = whole_lines;
}

Result<ScheduleRef> SchedulePool::allocate(u32 picks, std::chrono::milliseconds now) {
  free_what_is_due(now);
  const u32 cells = cells_for(picks);
  for (auto gap = free_.begin(); gap != free_.end(); ++gap) {
    const auto [offset, length] = *gap;
    if (length < cells) continue;
    free_.erase(gap);
    if (length > cells) free_[offset + cells] = length - cells;
    return ScheduleRef{.offset = offset, .size = picks};
  }
  return fail(ErrorCode::exhausted, "no room for a schedule of " + std::to_string(picks) + " picks", ENOMEM);
}

bool SchedulePool::keep(const ScheduleRef& region) {
  if (region.offset % schedule_alignment_cells != 0) return false;
  auto gap = free_.upper_bound(region.offset);
  if (gap == free_.begin()) return false;
  --gap;
  const auto [offset, length] = *gap;
  const u64 end = u64{offset} + length;
  const u64 wanted_end = u64{region.offset} + schedule_header_cells + region.size;
  if (wanted_end > end) return false;
  const u32 kept_end = region.offset + cells_for(region.size);
  free_.erase(gap);
  if (region.offset > offset) free_[offset] = region.offset - offset;
  if (end > kept_end) free_[kept_end] = static_cast<u32>(end - kept_end);
  return true;
}

void SchedulePool::release(const ScheduleRef& region, std::chrono::milliseconds now) {
  if (region.size > 0) left_.push_back({region, now});
}

void SchedulePool::free_what_is_due(std::chrono::milliseconds now) {
  auto due = left_.begin();
  for (; due != left_.end() && now - due->since >= schedule_grace; ++due)
    give_back(due->region.offset, cells_for(due->region.size));
  left_.erase(left_.begin(), due);
}

void SchedulePool::give_back(u32 offset, u32 cells) {
  auto behind = free_.upper_bound(offset);
  if (behind != free_.end() && behind->first == offset + cells) {
    cells += behind->second;
    behind = free_.erase(behind);
  }
  if (behind != free_.begin()) {
    const auto before = std::prev(behind);
    if (before->first + before->second == offset) {
      before->second += cells;
      return;
    }
  }
  free_[offset] = cells;
}

}  // namespace penstock::control
