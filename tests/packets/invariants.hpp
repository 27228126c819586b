// What is true of every frame that went through the packet path, whatever it was: for fuzzers and random tests.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "datapath/core/platform.hpp"
#include "tests/packets/checksum.hpp"

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

[[nodiscard]] inline u64 count_of_all(const Passage& passage) {
  u64 sum = 0;
  for (const u64 count : passage.counted) sum += count;
  return sum;
}

[[nodiscard]] inline bool is_pass_reason(u32 reason) { return reason <= static_cast<u32>(Reason::pass_no_connection); }

[[nodiscard]] inline bool same_bytes(View a, View b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// Empty: no complaint.
[[nodiscard]] inline std::string complaint_about_pass(const Passage& passage) {
  if (!same_bytes(passage.before, passage.after)) return "a frame for the kernel was changed";
  if (count_of_all(passage) != 1) return "a frame for the kernel is not counted once";
  for (u32 reason = 0; reason < reasons; ++reason) {
    if (passage.counted[reason] != 0 && !is_pass_reason(reason)) return "a frame for the kernel is counted as dropped";
  }
  return {};
}

[[nodiscard]] inline std::string complaint_about_drop(const Passage& passage) {
  for (u32 reason = 0; reason < reasons; ++reason) {
    if (passage.counted[reason] != 0 && is_pass_reason(reason)) return "a dropped frame is counted as the kernel's";
  }
  if (count_of(passage, Reason::bug) != 0) return "a bug was counted";
  const u64 expected = count_of(passage, Reason::no_room_for_reply) != 0 ? 2 : 1;
  return count_of_all(passage) == expected ? "" : "a dropped frame is not counted once";
}

// Only MAC addresses, TTL and IPv4's checksum may differ.
[[nodiscard]] inline std::string complaint_about_forwarding(const Passage& passage) {
  const bool is_ipv4 = passage.before[12] == 0x08;
  const std::size_t ttl = is_ipv4 ? 22 : 21;
  if (passage.after.size() != passage.before.size()) return "a forwarded frame has another length";
  for (std::size_t at = 12; at < passage.before.size(); ++at) {
    const bool may_change = at == ttl || (is_ipv4 && (at == 24 || at == 25));
    if (passage.before[at] != passage.after[at] && !may_change)
      return "a forwarded frame differs at " + std::to_string(at);
  }
  if (passage.after[ttl] != passage.before[ttl] - 1) return "the TTL did not sink by one";
  if (passage.after[ttl] == 0) return "a frame was forwarded without a hop to live";
  if (!is_ipv4) return {};
  const std::size_t header = static_cast<std::size_t>(passage.before[14] & 15) * 4;
  const u32 wrong_before = naive_checksum(passage.before.subspan(14, header));
  const u32 wrong_after = naive_checksum(passage.after.subspan(14, header));
  return wrong_before % 0xffff == wrong_after % 0xffff ? "" : "the IPv4 checksum was not updated";
}

// A packet that is too big was on its way already: its TTL is one less, and IPv4's checksum accordingly.
inline void one_hop_back(Bytes& quotation, View before) {
  const bool is_ipv4 = before[12] == 0x08;
  const std::size_t ttl = is_ipv4 ? 8 : 7;
  quotation[ttl] = static_cast<u8>(quotation[ttl] + 1);
  if (!is_ipv4) return;
  quotation[10] = before[24];
  quotation[11] = before[25];
}

// An ICMP error from the packet's destination to its source, with the packet's beginning in it and true checksums.
[[nodiscard]] inline std::string complaint_about_error(const Passage& passage) {
  const View before = passage.before;
  const View after = passage.after;
  const bool is_ipv4 = before[12] == 0x08;
  const std::size_t ip = is_ipv4 ? 20 : 40;
  const std::size_t address = is_ipv4 ? 4 : 16;
  const std::size_t source = 14 + (is_ipv4 ? 12U : 8U);
  const std::size_t quoted = after.size() - 14 - ip - 8;
  if (after.size() < 14 + ip + 8 + ip || after.size() > 14 + (is_ipv4 ? 576U : 1280U)) return "an error's length";
  if (!same_bytes(after.subspan(0, 6), before.subspan(6, 6))) return "an error to another machine";
  if (!same_bytes(after.subspan(6, 6), before.subspan(0, 6))) return "an error from another machine";
  if (!same_bytes(after.subspan(source, address), before.subspan(source + address, address)))
    return "an error's source";
  if (!same_bytes(after.subspan(source + address, address), before.subspan(source, address)))
    return "an error's destination";
  Bytes quotation(after.begin() + 14 + static_cast<std::ptrdiff_t>(ip) + 8, after.end());
  if (count_of(passage, Reason::too_big) != 0) one_hop_back(quotation, before);
  if (!same_bytes(quotation, before.subspan(14, quoted))) return "an error's quotation";
  const View icmp = after.subspan(14 + ip);
  if (is_ipv4) {
    if (naive_checksum(after.subspan(14, 20)) != 0) return "an error's IPv4 checksum";
    if (after[16] * 256U + after[17] != after.size() - 14) return "an error's total length";
    return naive_checksum(icmp) == 0 ? "" : "an error's ICMP checksum";
  }
  if (after[18] * 256U + after[19] != icmp.size()) return "an error's payload length";
  return naive_transport_checksum(after.subspan(source, 16), after.subspan(source + 16, 16), 58, icmp) == 0
             ? ""
             : "an error's ICMPv6 checksum";
}

[[nodiscard]] inline bool answers_with_error(const Passage& passage) {
  return count_of(passage, Reason::no_destination) + count_of(passage, Reason::ttl_exceeded) +
             count_of(passage, Reason::too_big) !=
         0;
}

[[nodiscard]] inline std::string complaint_about_sent(const Passage& passage) {
  if (count_of_all(passage) == 0) return complaint_about_forwarding(passage);
  if (count_of_all(passage) != 1 || !answers_with_error(passage)) return "a frame that was sent is counted as lost";
  return passage.verdict == Verdict::transmit ? complaint_about_error(passage)
                                              : "an error went out by another interface";
}

// Empty: no complaint.
[[nodiscard]] inline std::string complaint_about(const Passage& passage) {
  switch (passage.verdict) {
    case Verdict::pass:
      return complaint_about_pass(passage);
    case Verdict::drop:
      return complaint_about_drop(passage);
    case Verdict::transmit:
    case Verdict::redirect:
      return complaint_about_sent(passage);
    case Verdict::aborted:
      break;
  }
  return "a verdict that there is not";
}

}  // namespace penstock::packets
