// Next hops out of a fixed topology: what rtnetlink tells the daemon, here known from the beginning.
#pragma once

#include <map>

#include "control/next_hops.hpp"
#include "datapath/native/tables.hpp"
#include "tests/golden/topology.hpp"

namespace penstock::golden {

// Interface indices of the data plane under test. 1 is what a test run says that frames come in by, so no frame ever leaves
// "by the interface that it came by".
[[nodiscard]] constexpr u32 index_of(Interface interface) { return 101 + static_cast<u32>(interface); }
[[nodiscard]] std::optional<Interface> interface_at(u32 index);

// The director's own address there.
[[nodiscard]] std::optional<model::Address> own_address(const Topology& topology, Interface interface,
                                                        model::Family family);

class FixedNextHops final : public control::NextHops {
 public:
  // Both outlive it.
  FixedNextHops(const Tables& tables, const Topology& topology) : tables_(tables), topology_(topology) {}

  Result<u32> acquire(const model::Address& server) override;
  void release(const model::Address& server) override;

  [[nodiscard]] std::vector<model::Prefix> own_prefixes() const override;

  void set_mtu(Interface interface, u32 mtu);
  [[nodiscard]] u32 mtu(Interface interface) const { return mtu_[static_cast<std::size_t>(interface)]; }

 private:
  struct Entry {
    u32 row = 0;
    u32 users = 0;
  };

  void write(u32 row, const model::Address& server);

  const Tables& tables_;
  const Topology& topology_;
  std::array<u32, 2> mtu_ = {1500, 1500};
  std::map<model::Address, Entry> entries_;
};

}  // namespace penstock::golden
