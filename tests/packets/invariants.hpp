// What is true of every frame that went through the packet path, whatever it was: for fuzzers and random tests.
#pragma once

#include <algorithm>
#include <string>

#include "datapath/core/platform.hpp"
#include "tests/packets/soundness.hpp"

namespace penstock::packets {

// One frame's way: as it came, as it left, and what was counted meanwhile, by reason.
struct Passage {
  View before;
  View after;
  Verdict verdict;
  std::vector<u64> counted;
};

[[nodiscard]] inline u64 count_of(const Passage& passage, Reason reason) {
  return passage.counted[static_cast<u32>(reason)];
}

[[nodiscard]] inline bool is_pass_reason(u32 reason) { return reason <= static_cast<u32>(Reason::pass_unresolved); }
// Not a packet's end, only a remark.
[[nodiscard]] inline bool is_remark(u32 reason) { return penstock::is_remark(static_cast<Reason>(reason)); }

// How often the packet's end was counted, by whether its reason is one to pass.
[[nodiscard]] inline u64 ends_counted(const Passage& passage, bool passes) {
  u64 sum = 0;
  for (u32 reason = 0; reason < reasons; ++reason)
    if (!is_remark(reason) && is_pass_reason(reason) == passes) sum += passage.counted[reason];
  return sum;
}

[[nodiscard]] inline bool same_bytes(View a, View b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// Empty: no complaint.
[[nodiscard]] inline std::string complaint_about_pass(const Passage& passage) {
  if (ends_counted(passage, true) != 1) return "a frame for the kernel is not counted once";
  if (ends_counted(passage, false) != 0) return "a frame for the kernel is counted as dropped";
  // nat writes the new ends.
  const bool may_change = count_of(passage, Reason::pass_unresolved) + count_of(passage, Reason::pass_local) != 0;
  if (!may_change && !same_bytes(passage.before, passage.after)) return "a frame for the kernel was changed";
  return {};
}

[[nodiscard]] inline std::string complaint_about_drop(const Passage& passage) {
  if (ends_counted(passage, true) != 0) return "a dropped frame is counted as the kernel's";
  return ends_counted(passage, false) == 1 ? "" : "a dropped frame is not counted once";
}

[[nodiscard]] inline bool answers_with_error(const Passage& passage) {
  return count_of(passage, Reason::no_destination) + count_of(passage, Reason::no_reply_connection) +
             count_of(passage, Reason::ttl_exceeded) + count_of(passage, Reason::too_big) !=
         0;
}

// An ICMP error of the director's own is in order whatever it is about; what is forwarded is in order if it was.
[[nodiscard]] inline std::string complaint_about_sent(const Passage& passage) {
  static constexpr std::size_t most_added = 64;  // the largest tunnel's headers, or an error's, and a tag
  const u64 ends = ends_counted(passage, false);
  if (ends_counted(passage, true) != 0 || ends > 1 || (ends == 1 && !answers_with_error(passage)))
    return "a frame that was sent is counted as lost";
  if (passage.after.size() > passage.before.size() + most_added) return "a frame grew by more than headers";
  const std::string wrong_before = unsound(ip_packet_of(passage.before));
  const std::string wrong_after = unsound(ip_packet_of(passage.after));
  if (ends == 1 && !wrong_after.empty()) return "an error that was sent has " + wrong_after;
  if (wrong_before.empty() && !wrong_after.empty()) return "a frame that was sent has " + wrong_after;
  const View packet = ip_packet_of(passage.after);
  if (packet[packet[0] >> 4 == 4 ? 8 : 7] == 0) return "a frame was sent without a hop to live";
  return {};
}

// Empty: no complaint.
[[nodiscard]] inline std::string complaint_about(const Passage& passage) {
  if (count_of(passage, Reason::bug) != 0) return "a bug was counted";
  switch (passage.verdict) {
    case Verdict::pass:
      return complaint_about_pass(passage);
    case Verdict::drop:
      return complaint_about_drop(passage);
    case Verdict::transmit:
    case Verdict::redirect:
      return complaint_about_sent(passage);
    default:
      return "a verdict that there is not";
  }
}

}  // namespace penstock::packets
