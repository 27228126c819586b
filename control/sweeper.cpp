#include "control/sweeper.hpp"

#include "datapath/core/connection.hpp"
#include "datapath/core/table_insert.hpp"

namespace penstock::control {
namespace {

void sweep_record(const TableView<Connection>& table, u32 bucket, u32 slot, const Tables& tables, u32 now,
                  Swept& swept) {
  Connection& record = table.buckets[bucket].records[slot];
  const u64 word = load_acquire(&record.word);
  if (word == 0) return;
  const Found<Connection> found{&record, word, bucket, slot};
  if (!is_live(word)) {
    const bool stale = is_past(expires_of(word), now - tables.settings->ticks_per_second);
    if (stale && end_record(table, found, now, [](const Connection&, u64) {})) ++swept.claims_freed;
    return;
  }
  if (!is_past(expires_of(word), now)) return;
  const auto load_at = [&tables](u32 server) { return server < tables.loads.size() ? &tables.loads[server] : nullptr; };
  const auto on_end = [&](const Connection& ended, u64 last_word) { end_load(load_at, ended, last_word); };
  if (end_record(table, found, now, on_end)) ++swept.ended;
}

}  // namespace

void Sweeper::sweep_bucket(u64 position, u32 now, Swept& swept) const {
  const u64 established = tables_.connections.size();
  const bool is_established = position < established;
  const TableView<Connection> table = is_established ? tables_.established_table() : tables_.half_open_table();
  const u32 bucket = static_cast<u32>(is_established ? position : position - established);
  for (u32 slot = 0; slot < records_per_bucket; ++slot) sweep_record(table, bucket, slot, tables_, now, swept);
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
    sweep_bucket(position_, now, swept);
    position_ = position_ + 1 == buckets() ? 0 : position_ + 1;
  }
  return swept;
}

}  // namespace penstock::control
