// One measurement: what is served, what the director knows, and which packets arrive.
#pragma once

#include <string>
#include <vector>

#include "bench/cluster.hpp"
#include "datapath/core/wire.hpp"

namespace penstock::bench {

enum class Traffic {
  known,           // each packet belongs to one of `connections` connections
  reply,           // the same, from its real server
  fresh,           // each packet begins a connection of its own
  fresh_clients,   // and has a client of its own
  handshake,       // packets in pairs: a new flow's SYN, then its ACK
  first_fragment,  // of a datagram of its own, of connection 0
  later_fragment,  // of a datagram whose first fragment has come
  icmp_error,      // the client's side complains about connection 0
  unserved,        // to a virtual address, at a port without a service
  not_virtual,     // to an address that is none of ours
};

struct PacketCase {
  std::string name;
  Traffic traffic = Traffic::known;
  Family family = Family::ipv4;
  u8 protocol = protocol_tcp;
  u32 connections = 1;  // in the table before the first packet, a power of two
  u32 packets = 0;      // of one round, a power of two
  Cluster cluster = {};
};

[[nodiscard]] FlowSet prepared_flows(const PacketCase& which);
[[nodiscard]] FlowPlan plan_of(const PacketCase& which);
// A frame of the case; the driver fills in its flow.
[[nodiscard]] std::vector<u8> frame_of(const PacketCase& which);
// The records that the packet of this flow leaves behind.
[[nodiscard]] std::vector<FlowKey> keys_begun(const PacketCase& which, u32 flow);

// What one round must do, else the measurement is void.
[[nodiscard]] bool is_forwarded(const PacketCase& which);
[[nodiscard]] u32 packets_counted(const PacketCase& which);
[[nodiscard]] u32 connections_made(const PacketCase& which);

}  // namespace penstock::bench
