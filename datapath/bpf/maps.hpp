// The data plane's maps: arrays that the daemon maps into its memory, nothing else. max_entries is set by the loader from
// Config; keys and values go by size alone, so that no record's C++ shape reaches the kernel's BTF.
#pragma once

#include <linux/bpf.h>

#include "datapath/abi/config.hpp"
#include "datapath/abi/interface.hpp"
#include "datapath/abi/local.hpp"
#include "datapath/abi/mark.hpp"
#include "datapath/abi/own.hpp"
#include "datapath/abi/punt.hpp"
#include "datapath/abi/reason.hpp"
#include "datapath/abi/server.hpp"
#include "datapath/abi/service.hpp"
#include "datapath/abi/shared.hpp"
#include "datapath/core/work.hpp"

#define PEN_SECTION(name) __attribute__((section(name), used))

// libbpf reads the numbers off the array types' lengths.
#define PEN_ARRAY_MAP(map_name, value_bytes) \
  struct map_name##_map {                    \
    int (*type)[BPF_MAP_TYPE_ARRAY];         \
    int (*map_flags)[BPF_F_MMAPABLE];        \
    int (*max_entries)[1];                   \
    int (*key_size)[4];                      \
    int (*value_size)[value_bytes];          \
  };                                         \
  PEN_SECTION(".maps") map_name##_map map_name

// A table of one row is data of the program, to which libbpf gives an array of its own, .data.<name>: its address is known when the
// program is loaded, and nothing is looked up.
#define PEN_ONE_ROW(map_name, Row) \
  alignas(64) PEN_SECTION(".data." #map_name) penstock::u8 map_name[sizeof(Row)] {}

extern "C" {
PEN_ARRAY_MAP(connections, sizeof(penstock::ConnectionBucket));
PEN_ARRAY_MAP(services, sizeof(penstock::ServiceBucket));
PEN_ARRAY_MAP(connection_tags, sizeof(penstock::u64));
PEN_ARRAY_MAP(service_tags, sizeof(penstock::u64));
PEN_ARRAY_MAP(servers, sizeof(penstock::RealServer));
PEN_ARRAY_MAP(loads, sizeof(penstock::ServerLoad));
PEN_ARRAY_MAP(counters, sizeof(penstock::ServerCounters));
PEN_ARRAY_MAP(next_hops, sizeof(penstock::NextHop));
PEN_ARRAY_MAP(schedules, sizeof(penstock::u64));
PEN_ARRAY_MAP(reasons, sizeof(penstock::ReasonCounters));
PEN_ARRAY_MAP(punted, sizeof(penstock::PuntedFrame));
PEN_ARRAY_MAP(works, sizeof(penstock::Work));

PEN_ONE_ROW(vip_filter, penstock::VipFilter);
PEN_ONE_ROW(interfaces, penstock::Interfaces);
PEN_ONE_ROW(settings, penstock::Settings);
PEN_ONE_ROW(mark_rules, penstock::MarkRules);
PEN_ONE_ROW(own_prefixes, penstock::OwnPrefixes);
PEN_ONE_ROW(local_pool, penstock::LocalPool);
PEN_ONE_ROW(shared, penstock::SharedState);

// Set by the loader before the program is verified. Alone in a section of its own.
extern const volatile penstock::Config config;
}
