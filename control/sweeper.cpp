#include "control/sweeper.hpp"

#include "datapath/core/connection.hpp"
#include "datapath/core/table_insert.hpp"

namespace penstock::control {
namespace {

void sweep_record(Connection& record, const Tables& tables, u32 now, Swept& swept) {
  const u64 word = load_acquire(&record.word);
  if (word == 0) return;
  if (!is_live(word)) {
    const bool stale = is_past(expires_of(word), now - tables.settings->ticks_per_second);
    if (stale && compare_exchange(&record.word, word, 0)) ++swept.claims_freed;
    return;
  }
  if (!is_past(expires_of(word), now)) return;
  const auto load_at = [&tables](u32 slot) { return slot < tables.loads.size() ? &tables.loads[slot] : nullptr; };
  const auto on_end = [&](const Connection& ended, u64 last_word) { end_load(load_at, ended, last_word); };
  if (end_record(&record, word, now, on_end)) ++swept.ended;
}

}  // namespace

ConnectionBucket& Sweeper::bucket_at(u64 position) const {
  const u64 established = tables_.connections.size();
  return position < established ? tables_.connections[position] : tables_.half_open[position - established];
}

Swept Sweeper::advance() {
  const std::chrono::milliseconds now = clock_.steady();
  const u64 period = static_cast<u64>(sweep_period.count());
  const u64 elapsed = static_cast<u64>((now - last_).count());
  const u64 due = buckets() * elapsed / period;
  if (due == 0) return {};  // the time adds up
  if (due > buckets()) {
    last_ = now;
    return sweep(buckets());
  }
  last_ += std::chrono::milliseconds(due * period / buckets());
  return sweep(due);
}

Swept Sweeper::sweep(u64 count) {
  Swept swept;
  const u32 now = clock_.ticks();
  for (u64 i = 0; i < count; ++i) {
    for (Connection& record : bucket_at(position_).records) sweep_record(record, tables_, now, swept);
    position_ = position_ + 1 == buckets() ? 0 : position_ + 1;
  }
  return swept;
}

}  // namespace penstock::control
