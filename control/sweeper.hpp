// Ends connections whose time is over, and frees claims that a dead CPU or daemon left, by walking the table of connections
// again and again: all of it once in `sweep_period`. A look-up treats an expired record as absent, so the sweeper only returns
// slots and loads; what it owes is that a short timeout is honoured in the counts within a second.
//
// What depends on another record is its business alone: a reply's record and the shift of FTP's numbers live as long as their request. A
// persistence template outlives its timeout, by 60 s again and again, while connections that it made live (IPVS: n_control), and so does
// FTP's control connection. Replies that went to a newer connection of nat go to the older one when that has ended.
//
// While drop_entry is at work (drop_entry.hpp), some of the buckets that the walk comes by lose entries that are not over yet.
//
// Many small calls cost the same as few: call it often, so that no call holds up the daemon.
#pragma once

#include <chrono>
#include <span>
#include <unordered_set>

#include "control/clock.hpp"
#include "control/drop_entry.hpp"
#include "datapath/core/table.hpp"
#include "datapath/native/tables.hpp"

namespace penstock::control {

// The whole walk; with the time between two calls a connection is counted out within a second of its end.
inline constexpr std::chrono::milliseconds sweep_period{900};
// A template, or a control connection, that has so little left is looked at.
inline constexpr std::chrono::milliseconds template_notice{1'500};
inline constexpr std::chrono::seconds template_extension{60};

struct Swept {
  u64 ended = 0;         // records that were over
  u64 claims_freed = 0;  // slots that somebody claimed and never published
  u64 dropped = 0;       // records that were not over (IPVS: drop_entry)
};

class Bystander;

class Sweeper {
 public:
  // Both outlive the sweeper.
  Sweeper(const Tables& tables, const Clock& clock) : tables_(tables), clock_(clock), last_(clock.steady()) {}

  // The share of the walk that is due since the last call, never more than one whole walk.
  Swept advance();
  // The next `buckets` buckets.
  Swept sweep(u64 buckets);

 private:
  void sweep_record(Bystander& bystander, u32 bucket, u32 index, Swept& swept);
  void drop_entries(Bystander& bystander, u32 bucket, Swept& swept);
  [[nodiscard]] Entry entry_of(Bystander& bystander, const Connection& record, u64 word) const;
  [[nodiscard]] bool may_have_children(const FlowKey& parent, std::chrono::milliseconds idle) const;
  void sweep_claim(u32 bucket, u32 index, u32 now, Swept& swept) const;
  static void keep_reply(Bystander& bystander, const Found<Connection>& reply);
  static void keep_answered(Bystander& bystander, const Found<Connection>& request);
  static void keep_shift(Bystander& bystander, Connection& record, u64 word);
  void keep_template(Connection& record, u64 word, u32 now) const;
  void end_walk();
  void keep_control(Connection& record, u64 word, u32 now) const;
  [[nodiscard]] bool has_children(const FlowKey& parent) const;
  [[nodiscard]] bool is_needed(const FlowKey& parent, u64 word, u32 now) const;
  void note_child(Bystander& bystander, const Connection& record);
  [[nodiscard]] u64 buckets() const { return tables_.connections.size(); }

  const Tables& tables_;
  const Clock& clock_;
  std::chrono::milliseconds last_;
  u64 position_ = 0;
  // Hashes of the templates and FTP control connections that have live connections.
  std::unordered_set<u64> children_;         // so far in this walk
  std::unordered_set<u64> former_children_;  // and in the one before
  bool has_walked_ = false;                  // so that those of a whole walk are known
  EntryDropper dropper_;
};

// Connections whose server was removed end at once (IPVS: expire_nodest_conn).
void end_orphans(const Tables& tables, u32 now);

// The sets of lblcr name slots alone: before these get other servers, they are taken out.
void forget_slots(const Tables& tables, std::span<const u32> slots);

}  // namespace penstock::control
