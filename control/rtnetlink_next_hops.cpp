#include "control/rtnetlink_next_hops.hpp"

#include <fmt/format.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <algorithm>

#include "control/images.hpp"

namespace penstock::control {

Result<std::unique_ptr<RtnetlinkNextHops>> RtnetlinkNextHops::start(const Tables& tables, const Log& log) {
  auto questions = netlink::Socket::open({});
  if (!questions) return fail(questions.error());
  // Listening begins before the first question, so that nothing falls between.
  auto notifications =
      netlink::Socket::open({RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_IFADDR,
                             RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_NEXTHOP});
  if (!notifications) return fail(notifications.error());
  std::unique_ptr<RtnetlinkNextHops> next_hops(
      new RtnetlinkNextHops(tables, log, std::move(*questions), std::move(*notifications)));
  if (auto learnt = next_hops->learn_network(); !learnt) return fail(learnt.error());
  return next_hops;
}

RtnetlinkNextHops::RtnetlinkNextHops(const Tables& tables, Log log, netlink::Socket questions,
                                     netlink::Socket notifications)
    : log_(std::move(log)),
      questions_(std::move(questions)),
      notifications_(std::move(notifications)),
      book_(static_cast<u32>(tables.next_hops.size())),
      rows_(tables.next_hops) {
  for (const RealServer& server : tables.servers)
    if (server.route.next_hop != no_next_hop)
      book_.reserve(endpoint_of(server.address, server.family, server.port).address, server.route.next_hop);
}

Result<void> RtnetlinkNextHops::learn_network() {
  network_ = {};
  auto links = list_links(questions_);
  if (!links) return fail(links.error());
  for (const Link& link : *links) network_.take(LinkEvent{.link = link});
  const auto addresses = list_addresses(questions_);
  if (!addresses) return fail(addresses.error());
  for (const OwnAddress& own : *addresses) network_.take(AddressEvent{.own = own});
  auto neighbours = list_neighbours(questions_);
  if (!neighbours) return fail(neighbours.error());
  for (const Neighbour& neighbour : *neighbours) network_.take(NeighbourEvent{.neighbour = neighbour});
  return {};
}

Result<u32> RtnetlinkNextHops::acquire(const model::Address& server) {
  const auto acquired = book_.acquire(server);
  if (!acquired) return fail(acquired.error());
  if (!acquired->is_first) return acquired->row;
  Entry& entry = entries_[server];
  entry.row = acquired->row;
  ask_route(server, entry);
  const RowChange change = settle(server, entry);
  rows_.apply({&change, 1});
  return acquired->row;
}

void RtnetlinkNextHops::release(const model::Address& server) {
  const u32 row = book_.release(server);
  if (row == no_next_hop) return;
  const auto entry = entries_.extract(server);
  const RowChange gone{.row = row, .content = {}};
  rows_.apply({&gone, 1});
  if (entry.mapped().neighbour) unwant(*entry.mapped().neighbour);
}

void RtnetlinkNextHops::forget_unclaimed() {
  std::vector<RowChange> changes;
  for (const u32 row : book_.forget_unclaimed()) changes.push_back({.row = row, .content = {}});
  rows_.apply(changes);
}

Result<void> RtnetlinkNextHops::take_notifications(const std::function<void(const LinkEvent&)>& on_link) {
  const auto complete = notifications_.drain([&](const nlmsghdr* message) {
    if (const auto link = parse_link(message)) {
      network_.take(*link);
      // As the network knows it now: with its addresses.
      on_link(link->removed ? *link : LinkEvent{.link = network_.links.at(link->link.index)});
      wants_refresh_ = true;  // IPv4 routes come and go with their link without a word
    } else if (const auto neighbour = parse_neighbour(message)) {
      network_.take(*neighbour);
      const NeighbourKey key{neighbour->neighbour.interface, neighbour->neighbour.address};
      if (neighbour->removed && wanted_.contains(key)) to_manage_.insert(key);  // flushed by somebody
    } else if (changes_routes(message)) {
      wants_refresh_ = true;
      if (const auto own = parse_own_address(message)) take_addresses(*own, on_link);
    }
  });
  if (!complete) return fail(complete.error());
  if (!*complete) {
    log_.warn("rtnetlink notifications were lost: asking the kernel for everything again");
    if (auto learnt = learn_network(); !learnt) return learnt;
    for (const auto& [index, link] : network_.links) on_link(LinkEvent{.link = link});
    for (const auto& [key, count] : wanted_) to_manage_.insert(key);
    wants_refresh_ = true;
  }
  settle_all();
  return {};
}

void RtnetlinkNextHops::take_addresses(const AddressEvent& event,
                                       const std::function<void(const LinkEvent&)>& on_link) {
  network_.take(event);
  const auto link = network_.links.find(event.own.interface);
  if (link != network_.links.end()) on_link(LinkEvent{.link = link->second});
}

bool RtnetlinkNextHops::has_local() const {
  return std::ranges::any_of(entries_, [](const auto& entry) { return entry.second.route.kind == Route::Kind::local; });
}

void RtnetlinkNextHops::refresh() {
  wants_refresh_ = false;
  for (auto& [server, entry] : entries_) ask_route(server, entry);
  settle_all();
}

void RtnetlinkNextHops::ask_route(const model::Address& server, Entry& entry) {
  const auto route = find_route(questions_, server);
  if (route)
    entry.route = *route;
  else
    log_.warn(route.error().message);  // and the route stays what it was
}

// What the row is to hold by what is known now; wants the neighbour that is needed for it.
RowChange RtnetlinkNextHops::settle(const model::Address& server, Entry& entry) {
  const Reach reached = reach(server, entry.route, network_);
  if (reached.neighbour != entry.neighbour) {
    if (reached.neighbour) want(*reached.neighbour);
    if (entry.neighbour) unwant(*entry.neighbour);
    entry.neighbour = reached.neighbour;
  }
  tell(server, entry, reached);
  return {.row = entry.row, .content = reached.row};
}

void RtnetlinkNextHops::settle_all() {
  std::vector<RowChange> changes;
  for (auto& [server, entry] : entries_) changes.push_back(settle(server, entry));
  if (rows_.apply(changes)) tell_change();
  for (const NeighbourKey& key : std::exchange(to_manage_, {})) manage(key);
}

void RtnetlinkNextHops::tell(const model::Address& server, Entry& entry, const Reach& reached) {
  if (entry.words == reached.words) return;
  entry.words = reached.words;
  if (reached.row.state != NextHopState::unresolved)
    log_.info(fmt::format("real server {} is reached {}", to_string(server), reached.words));
  else
    log_.warn(fmt::format("real server {} can't be reached: {}", to_string(server), reached.words));
}

void RtnetlinkNextHops::want(const NeighbourKey& key) {
  if (wanted_[key]++ == 0) manage(key);
}

void RtnetlinkNextHops::unwant(const NeighbourKey& key) {
  const auto found = wanted_.find(key);
  if (--found->second > 0) return;
  wanted_.erase(found);
  to_manage_.erase(key);
  // The neighbour may be gone with its interface, which is as good.
  if (!is_permanent(key)) (void)manage_neighbour(questions_, key.first, key.second, false);
}

void RtnetlinkNextHops::manage(const NeighbourKey& key) {
  if (is_permanent(key)) return;
  auto asked = manage_neighbour(questions_, key.first, key.second, true);
  if (asked) return;
  log_.warn(asked.error().message);
  to_manage_.insert(key);
}

bool RtnetlinkNextHops::is_permanent(const NeighbourKey& key) const {
  const auto known = network_.neighbours.find(key);
  return known != network_.neighbours.end() && (known->second.state & (NUD_PERMANENT | NUD_NOARP)) != 0;
}

}  // namespace penstock::control
