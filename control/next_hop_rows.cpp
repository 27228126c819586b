#include "control/next_hop_rows.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "datapath/core/atomic.hpp"

namespace penstock::control {
namespace {

u32* state_of(NextHop& hop) { return reinterpret_cast<u32*>(&hop.state); }

// XDP programs run inside RCU read-side sections, and MEMBARRIER_CMD_GLOBAL waits for all of these (it is synchronize_rcu).
void wait_for_packets_under_way() { syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0); }

AddressImage own_address_in(const NextHop& hop) {
  return hop.state == NextHopState::resolved ? hop.address : AddressImage{};
}

bool differ(const AddressImage& a, const AddressImage& b) { return a.low != b.low || a.high != b.high; }

bool same_but_for_mtu(const NextHop& a, const NextHop& b) {
  NextHop with_mtu = a;
  with_mtu.mtu = b.mtu;
  return std::memcmp(&with_mtu, &b, sizeof b) == 0;
}

}  // namespace

NextHopRows::NextHopRows(std::span<NextHop> rows) : rows_(rows), may_be_read_(rows.size()) {
  for (std::size_t row = 0; row < rows.size(); ++row)
    may_be_read_[row] = rows[row].state == NextHopState::resolved;  // adopted
}

void NextHopRows::withdraw(u32 row) { store_release(state_of(rows_[row]), static_cast<u32>(NextHopState::unresolved)); }

bool NextHopRows::apply(std::span<const RowChange> changes) {
  std::vector<RowChange> to_write;
  bool must_wait = false;
  bool other_addresses = false;
  for (const RowChange& change : changes) {
    NextHop& row = rows_[change.row];
    if (std::memcmp(&row, &change.content, sizeof row) == 0) continue;
    other_addresses |= differ(own_address_in(row), own_address_in(change.content));
    if (change.content.state == NextHopState::unresolved) {
      withdraw(change.row);
    } else if (row.state == NextHopState::resolved && same_but_for_mtu(row, change.content)) {
      store_release(&row.mtu, change.content.mtu);  // one word: no reader sees half of it
    } else {
      withdraw(change.row);
      must_wait |= may_be_read_[change.row];
      to_write.push_back(change);
    }
  }
  if (must_wait) {
    wait_for_packets_under_way();
    for (std::size_t row = 0; row < rows_.size(); ++row) may_be_read_[row] = rows_[row].state == NextHopState::resolved;
  }
  for (const auto& [index, content] : to_write) {
    NextHop& row = rows_[index];
    NextHop unresolved = content;
    unresolved.state = NextHopState::unresolved;
    row = unresolved;
    store_release(state_of(row), static_cast<u32>(content.state));
    may_be_read_[index] = content.state == NextHopState::resolved;
  }
  return other_addresses;
}

}  // namespace penstock::control
