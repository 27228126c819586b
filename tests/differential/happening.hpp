// What operators and the daemon do while packets pass, done to any number of directors alike.
#pragma once

#include "datapath/native/tables.hpp"
#include "tests/differential/generator.hpp"

namespace penstock::differential {

struct Happening {
  u32 what;
  u32 slot;
  u32 value;

  static constexpr u32 kinds = 11;

  [[nodiscard]] static Happening drawn(Generator& generator) {
    return {generator.below(kinds), 1 + generator.below(packets::mixed::servers), generator.below(1000)};
  }
};

inline void happen(const Tables& tables, const Happening& happening) {
  RealServer& server = tables.servers[happening.slot];
  ServerLoad& load = tables.loads[happening.slot];
  Settings& settings = *tables.settings;
  Interface& ingress = tables.interfaces[packets::mixed::link];
  switch (happening.what) {
    case 0:
      server.route.available ^= 1;
      break;
    case 1:
      server.route.generation = static_cast<u16>(server.route.generation + 1);
      break;
    case 2:
      settings.conn_reuse_mode = happening.value % 4;
      break;
    case 3:
      settings.sloppy_tcp ^= 1;
      break;
    case 4:
      settings.udp_timeout = 1 + happening.value % 40;
      break;
    case 5:
      ingress.hook = happening.value % 4 ? Hook::native : Hook::generic;
      break;
    case 6: {
      NextHop& hop = tables.next_hops[1 + happening.value % 12];
      hop.state = happening.value % 3 ? NextHopState::resolved : NextHopState::unresolved;
      break;
    }
    case 7:
      ingress.known = happening.value % 4 ? 1 : 0;
      break;
    case 8:
      load.weight = static_cast<s32>(happening.value % 4);
      break;
    case 9:
      settings.expire_nodest_conn ^= 1;
      break;
    case 10:
      settings.drop_rate = happening.value % 3 ? 0 : 1 + happening.value % 5;
      break;
  }
}

// The daemon has taken what was handed to it.
inline void empty_punted(const Tables& tables) {
  for (PuntedFrame& row : tables.punted) row.word = punt_free;
}

}  // namespace penstock::differential
