// One row of the table: which packets arrive, and what the director knows when they do.
#pragma once

#include <span>
#include <vector>

#include "bench/flow_plan.hpp"

namespace penstock::bench {

enum class Traffic {
  known,        // each packet belongs to one of `flows` connections
  fresh,        // each packet begins a connection of its own
  handshake,    // packets in pairs: a new flow's SYN, then its ACK
  unserved,     // to a virtual address, at a port without a service
  not_virtual,  // to an address that is none of ours
};

struct PacketCase {
  const char* name;
  Traffic traffic;
  Family family;
  u8 protocol;
  u32 connections;  // in the table before the first packet, a power of two; the flows of `known`
  u32 packets;      // of one round, a power of two
};

[[nodiscard]] std::span<const PacketCase> packet_cases();

// The connections to prepare.
[[nodiscard]] std::vector<FlowKey> prepared_keys(const PacketCase& which);
[[nodiscard]] FlowPlan plan_of(const PacketCase& which);
// A frame of the case; the driver fills in its client.
[[nodiscard]] std::vector<u8> frame_of(const PacketCase& which);

// What one packet must do, else the measurement is void.
[[nodiscard]] bool is_forwarded(const PacketCase& which);
[[nodiscard]] u32 connections_made(const PacketCase& which, u32 packets);

}  // namespace penstock::bench
