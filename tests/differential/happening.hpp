// What operators and the daemon do while packets pass, done to any number of directors alike.
#pragma once

#include "datapath/native/native_platform.hpp"
#include "tests/differential/generator.hpp"

namespace penstock::differential {

struct Happening {
  u32 what;
  u32 slot;
  u32 value;

  static constexpr u32 kinds = 13;

  [[nodiscard]] static Happening drawn(Generator& generator) {
    return {generator.below(kinds), 1 + generator.below(packets::mixed::servers), generator.below(1000)};
  }
};

// As the daemon does after a text of another length, to all of FTP's control connections that there are.
inline void shift_numbers(const Tables& tables, u32 value) {
  for (ConnectionBucket& bucket : tables.connections) {
    for (Connection& request : bucket.records) {
      if (!is_live(request.word) || request.key.role != Role::request || request.key.vip_port != big(u16{21})) continue;
      Connection shift{};
      shift.key = request.key;
      shift.key.role = Role::shift;
      shift.server = request.server;
      shift.detail = value * 0x0700'0007'0020'0003ULL;
      const u32 expiry = expires_of(request.word);
      const u32 long_ago = expiry - (1U << 30);  // when nothing had expired yet
      const Place place = place_of(hash_of(tables.config.hash_key, shift.key), tables.config.connection_buckets);
      const auto made = insert_record(tables.connection_table(), place, shift, 0, expiry, long_ago, WhenFull::refuse,
                                      [](const Connection&, u64) {});
      if (made.stored) request.traits |= trait_mangled;
    }
  }
}

// As the daemon does after a text that says where data will go, for all of FTP's control connections that there are.
inline void expect_data(const Tables& tables, u32 value) {
  for (ConnectionBucket& bucket : tables.connections) {
    for (const Connection& control : bucket.records) {
      if (!is_live(control.word) || control.key.role != Role::request || control.key.vip_port != big(u16{21})) continue;
      if (control.key.protocol != protocol_tcp || method_of(control.traits) != Method::nat) continue;
      FrameBuffer none({});
      const u32 timeout = 30;
      NativePlatform p(tables, none, expires_of(control.word) - timeout, packets::mixed::link);
      Insertion& insertion = p.work()->insertion;
      FlowKey key = control.key;
      key.client_port = {};
      key.vip_port = big(static_cast<u16>(value % 2 ? value : 8080));
      prepare_insertion(insertion, key, hash_of(tables.config.hash_key, key), control.server, control.generation);
      insertion.content.traits = static_cast<u8>(Method::nat) | trait_controlled | trait_own_port;
      insertion.content.local_port = key.vip_port;
      insertion.state = static_cast<u32>(TcpState::listen);
      insertion.timeout = timeout;
      save(p, *p.work());
      end_replies(p, *p.work());
      note_expected(p, timeout);
    }
  }
}

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
      machine_of(settings, Machine::udp).timeout[0] = 1 + happening.value % 40;
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
    case 11:
      shift_numbers(tables, happening.value);
      break;
    case 12:
      expect_data(tables, happening.value);
      break;
  }
}

// The daemon has taken what was handed to it.
inline void empty_punted(const Tables& tables) {
  for (PuntedFrame& row : tables.punted) row.word = punt_free;
}

}  // namespace penstock::differential
