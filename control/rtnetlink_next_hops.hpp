// Next hops as the kernel's routing, neighbour tables and links have them, kept true by notifications. The kernel resolves
// the neighbours itself (NTF_EXT_MANAGED) and goes on doing so while no daemon runs.
//
// Lives in one network namespace and on one thread. The owner waits for fd(), calls take_notifications() when it is readable,
// and refresh() a moment after wants_refresh() became true: a flapping route must not cost a look-up for each server each time.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>

#include "control/log.hpp"
#include "control/next_hop_book.hpp"
#include "control/next_hop_rows.hpp"
#include "control/next_hops.hpp"
#include "control/reach.hpp"
#include "datapath/native/tables.hpp"
#include "netlink/socket.hpp"

namespace penstock::control {

class RtnetlinkNextHops final : public NextHops {
 public:
  // `tables` outlive the object. Rows that servers in them refer to stay as they are until forget_unclaimed().
  [[nodiscard]] static Result<std::unique_ptr<RtnetlinkNextHops>> start(const Tables& tables, const Log& log);

  Result<u32> acquire(const model::Address& server) override;
  void release(const model::Address& server) override;
  // After a start, once all that is wanted has been acquired.
  void forget_unclaimed();

  [[nodiscard]] int fd() const { return notifications_.fd(); }
  // Also reports every change of links and of their addresses to `on_link`.
  Result<void> take_notifications(const std::function<void(const LinkEvent&)>& on_link);
  [[nodiscard]] bool wants_refresh() const { return wants_refresh_; }
  // Looks up every route again.
  void refresh();

  // Some server is this machine itself.
  [[nodiscard]] bool has_local() const;

  [[nodiscard]] const std::map<u32, Link>& links() const { return network_.links; }

 private:
  struct Entry {
    u32 row = 0;
    Route route;
    std::optional<NeighbourKey> neighbour;  // wanted for it
    std::string words;                      // last said
  };

  RtnetlinkNextHops(const Tables& tables, Log log, netlink::Socket questions, netlink::Socket notifications);

  Result<void> learn_network();
  void ask_route(const model::Address& server, Entry& entry);
  [[nodiscard]] RowChange settle(const model::Address& server, Entry& entry);
  void settle_all();
  void take_addresses(const AddressEvent& event, const std::function<void(const LinkEvent&)>& on_link);
  void tell(const model::Address& server, Entry& entry, const Reach& reached);
  void want(const NeighbourKey& key);
  void unwant(const NeighbourKey& key);
  void manage(const NeighbourKey& key);
  [[nodiscard]] bool is_permanent(const NeighbourKey& key) const;

  Log log_;
  netlink::Socket questions_;
  netlink::Socket notifications_;
  Network network_;
  NextHopBook book_;
  NextHopRows rows_;
  std::map<model::Address, Entry> entries_;
  std::map<NeighbourKey, u32> wanted_;  // and for how many entries
  std::set<NeighbourKey> to_manage_;    // wanted, but the kernel has yet to be asked (again)
  bool wants_refresh_ = false;
};

}  // namespace penstock::control
