// The frames of a nat connection in either family, without their transport headers: as they come, and as they go on.
#pragma once

#include "tests/packets/world.hpp"

namespace penstock::packets {

struct NatFrames {
  Family family = Family::ipv4;
  u32 server = 0;  // real server `server` of the world

  [[nodiscard]] bool is_ipv4() const { return family == Family::ipv4; }
  // The client's, and as the real server gets it.
  [[nodiscard]] Frame in() const { return is_ipv4() ? in4() : in6(); }
  [[nodiscard]] Frame there() const {
    return is_ipv4() ? to_rs(server).ipv4(client, rip(server), {.ttl = 63})
                     : to_rs(server).ipv6(client6, rip6(server), {.ttl = 63});
  }
  // The real server's, and as the client gets it.
  [[nodiscard]] Frame answer() const {
    return is_ipv4() ? from_rs(server).ipv4(rip(server), client) : from_rs(server).ipv6(rip6(server), client6);
  }
  [[nodiscard]] Frame back() const {
    return is_ipv4() ? to_client().ipv4(vip, client, {.ttl = 63}) : to_client().ipv6(vip6, client6, {.ttl = 63});
  }
};

}  // namespace penstock::packets
