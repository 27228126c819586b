// What packets change in a director's tables, as it was before any came: kept once, put back as often as wanted. To put it back takes
// microseconds where a new director takes milliseconds. These are the tables of which datapath/native/tables.hpp says that the packet
// path writes them; the test sees that there is no other.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "datapath/native/tables.hpp"

namespace penstock::packets {

template <typename Row>
class Kept {
 public:
  explicit Kept(std::span<Row> rows) : rows_(rows), before_(rows.begin(), rows.end()) {}
  void put_back() const { std::copy(before_.begin(), before_.end(), rows_.begin()); }  // ranges::copy goes row by row

 private:
  std::span<Row> rows_;
  std::vector<Row> before_;
};

class BeforePackets {
 public:
  // The tables must live as long, and no frame must be in them yet.
  explicit BeforePackets(const Tables& tables)
      : connections_(tables.connections),
        connection_tags_(tables.connection_tags),
        loads_(tables.loads),
        counters_(tables.counters),
        schedules_(tables.schedules),
        reasons_(tables.reasons),
        shared_({tables.shared, 1}),
        punted_(tables.punted) {}

  void put_back() const {
    connections_.put_back();
    connection_tags_.put_back();
    loads_.put_back();
    counters_.put_back();
    schedules_.put_back();
    reasons_.put_back();
    shared_.put_back();
    empty_punted();
  }

 private:
  // By row, as the whole is megabytes of which packets fill little.
  void empty_punted() const {
    for (PuntedFrame& frame : punted_)
      if (frame.word != punt_free) frame = {};
  }

  Kept<ConnectionBucket> connections_;
  Kept<u64> connection_tags_;
  Kept<ServerLoad> loads_;
  Kept<ServerCounters> counters_;
  Kept<u64> schedules_;
  Kept<ReasonCounters> reasons_;
  Kept<SharedState> shared_;
  std::span<PuntedFrame> punted_;
};

}  // namespace penstock::packets
