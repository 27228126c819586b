// Takes the frames that the packet path punted (abi/punt.hpp) along the packet path once more, natively and over the same tables,
// and sends what comes out, in fragments where the way out wants them smaller. A fragment that came before the first of its
// datagram waits until that has passed; FTP's control connections are read on the way (ftp.hpp).
//
// Only the daemon's one thread; call advance() often: a free row costs a look at one word.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <vector>

#include "control/clock.hpp"
#include "control/log.hpp"
#include "control/sender.hpp"
#include "datapath/native/native_platform.hpp"

namespace penstock::control {

// Fragments that wait never take all rows: whoever sends fragments alone must not keep others from being fragmented.
inline constexpr u32 waiting_fragments_max = punted_max * 3 / 4;

class Punted {
 public:
  // All outlive the object. Counts in the tables' last row of per-CPU counters, which is no CPU's (Config::cpus).
  Punted(const Tables& tables, const Clock& clock, Sender& sender, Log log = silent());

  // All rows once.
  void advance();

 private:
  struct Row {
    std::optional<std::chrono::milliseconds> claimed_since;
    std::optional<FlowKey> awaited;  // of the record that the datagram's first fragment leaves
  };
  enum class Fate { goes, waits, is_lost };

  void look_at(u32 index, u32 now);
  void free_if_stuck(u32 index);
  void free(u32 index);
  [[nodiscard]] Fate fate_of(u32 index, u32 now);
  [[nodiscard]] bool has_begun(u32 index, u32 now);
  void process(const PuntedFrame& punted, u32 now);
  void leave(NativePlatform& platform, const FrameBuffer& buffer, u32 interface);
  void lose_oldest(u32 now);

  const Tables& tables_;
  const Clock& clock_;
  Sender& sender_;
  Log log_;
  std::array<Row, punted_max> rows_{};
  std::vector<u32> waiting_;  // rows, of this walk
  u64 datagrams_ = 0;
  bool told_of_pass_ = false;
};

}  // namespace penstock::control
