// A director of everything, that takes any bytes for a frame: first as they come, then as a packet of the connection that they may
// have made, then what it sent as an answer and as the subject of an ICMP error, then the frame again when all of that has long
// expired. It complains of what must never happen. Whatever frames there were before, the next one meets the director as it was made.
#pragma once

#include <string>

#include "datapath/native/native_platform.hpp"
#include "tests/packets/before_packets.hpp"
#include "tests/packets/echo.hpp"
#include "tests/packets/invariants.hpp"
#include "tests/packets/inventory.hpp"
#include "tests/packets/mixed_director.hpp"

namespace penstock::packets {

class AnyFrame {
 public:
  explicit AnyFrame(std::uint64_t seed = 1)
      : tables_(MixedDirector::config()), director_(tables_.view(), seed), before_packets_(tables_.view()) {}

  // Empty: no complaint.
  std::string complaint(View frame) {
    before_packets_.put_back();
    Bytes sent;
    for (const u32 now : {1000U, 1001U}) {
      const std::string complaint = pass_through(frame, now, &sent);
      if (!complaint.empty()) return complaint;
    }
    for (const Bytes& echo : {turned(sent), error_about(sent, 3, 4, 1280), error_about(sent, 1, 1, 0)}) {
      const std::string complaint = echo.empty() ? "" : pass_through(echo, 1002, nullptr);
      if (!complaint.empty()) return "then " + complaint;
    }
    return pass_through(frame, 10'000'000, nullptr);
  }

 private:
  std::string pass_through(View frame, u32 now, Bytes* sent) {
    const ReasonCounters before = tables_.view().reasons[0];
    const PacketResult result = process(tables_.view(), frame, now, mixed::link);
    std::vector<u64> counted(reasons);
    for (u32 i = 0; i < reasons; ++i) counted[i] = tables_.view().reasons[0].packets[i] - before.packets[i];
    const bool left = result.verdict == Verdict::transmit || result.verdict == Verdict::redirect;
    if (sent && left) *sent = result.frame;
    return complaint_about({frame, result.frame, result.verdict, counted});
  }

  NativeTables tables_;
  MixedDirector director_;
  BeforePackets before_packets_;
};

}  // namespace penstock::packets
