// A director of every kind of service, that takes any bytes for a frame: first as they come, then as a packet of the connection
// that they may have made, then again when that has long expired, and complains of what must never happen.
#pragma once

#include <string>

#include "datapath/native/native_platform.hpp"
#include "datapath/native/native_tables.hpp"
#include "tests/packets/director.hpp"
#include "tests/packets/invariants.hpp"

namespace penstock::packets {

inline constexpr Mac any_client_mac{2, 0, 0, 0, 0, 0xc1};
inline constexpr Mac any_director_mac{2, 0, 0, 0, 0, 0xd0};

class AnyFrame {
 public:
  AnyFrame() : tables_(config()) {
    Director director(tables_.view());
    director.set_defaults(1000);
    Interface& ingress = tables_.view().interfaces[ingress_];
    ingress.known = 1;
    std::copy(any_director_mac.begin(), any_director_mac.end(), ingress.address);
    const u32 same_link = director.add_next_hop({any_director_mac, {2, 0, 0, 0, 0, 0x11}, ingress_});
    const u32 other_link = director.add_next_hop({any_director_mac, {2, 0, 0, 0, 0, 0x22}, 2});
    const u32 nobody = director.add_next_hop({{}, {}, 2, 1500, NextHopState::unresolved});
    const u32 narrow = director.add_next_hop({any_director_mac, {2, 0, 0, 0, 0, 0x33}, 2, 300});
    const u32 rs1 = director.add_server("10.0.0.1", same_link);
    const u32 rs2 = director.add_server("10.0.0.2", other_link);
    const u32 absent = director.add_server("10.0.0.3", nobody);
    const u32 far = director.add_server("10.0.0.4", narrow);
    for (const char* vip : {"192.0.2.1", "fd00:1::1"}) {
      for (const u8 protocol : {u8{6}, u8{17}}) {
        director.add_service({vip, 80, protocol}, {rs1, rs2});
        director.add_service({vip, 81, protocol}, {absent});
        director.add_service({vip, 82, protocol}, {far});
        director.add_service({vip, 83, protocol}, {});
      }
    }
  }

  // Empty: no complaint.
  std::string complaint(View frame) {
    for (const u32 now : {1000U, 1001U, 10'000'000U}) {
      const std::string complaint = pass_through(frame, now);
      if (!complaint.empty()) return complaint;
    }
    return {};
  }

 private:
  static Config config() {
    Config config = small_config();
    config.connection_buckets = 4;
    config.half_open_buckets = 2;
    config.service_buckets = 16;
    config.servers_max = 8;
    config.next_hops_max = 8;
    config.schedule_cells = 64;
    return config;
  }

  std::string pass_through(View frame, u32 now) {
    const ReasonCounters before = tables_.view().reasons[0];
    const PacketResult result = process(tables_.view(), frame, now, ingress_);
    std::vector<u64> counted;
    for (u32 i = 0; i < reasons; ++i) counted.push_back(tables_.view().reasons[0].packets[i] - before.packets[i]);
    return complaint_about({frame, result.frame, result.verdict, counted});
  }

  static constexpr u32 ingress_ = 1;
  NativeTables tables_;
};

}  // namespace penstock::packets
