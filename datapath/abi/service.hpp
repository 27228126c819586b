// A virtual service as the packet path finds it: by family, protocol, address and port.
#pragma once

#include "datapath/abi/address.hpp"
#include "datapath/abi/bucket.hpp"

namespace penstock {

struct ServiceKey {
  AddressImage vip;
  be16 port;
  u8 protocol;
  Family family;
  u32 zero;  // will hold the firewall mark
};
static_assert(sizeof(ServiceKey) == 24);

// Where a service's schedule stands in the schedule pool. One aligned 64-bit word, so that replacing it is a single flip.
struct alignas(8) ScheduleRef {
  u32 offset;  // of the schedule's first cell (the cursor) in the pool
  u32 size;    // picks in the schedule; 0: no real server takes new connections
};

struct Service {
  u64 word;  // tag, live and claimed bits as in a connection; no state, no expiry
  ServiceKey key;
  ScheduleRef schedule;
  u32 id;     // the control plane's number for the service
  u32 flags;  // none yet
  u64 reserved[2];
};
static_assert(sizeof(Service) == 64);

using ServiceBucket = Bucket<Service>;

// The schedule pool is an array of 64-bit cells. A schedule is one cursor cell, counting the picks taken from it since it
// was installed, followed by `size` cells that each hold a server's slot. rr and wrr are such tables (DESIGN: keystone 3).
static constexpr u32 schedule_header_cells = 1;

}  // namespace penstock
