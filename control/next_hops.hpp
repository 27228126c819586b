// Where real servers are reached: who programs a server asks for the row of its address, and whoever implements this keeps
// the row true for as long as it is asked for (rtnetlink in the daemon, a fixed topology in tests).
#pragma once

#include <functional>
#include <vector>

#include "base/result.hpp"
#include "datapath/abi/types.hpp"
#include "model/prefix.hpp"

namespace penstock::control {

class NextHops {
 public:
  virtual ~NextHops() = default;

  // The row of `server` in the next-hop table; counted, so that each acquire wants a release. The row may be unresolved
  // now and resolved later. Error: the table is full (exhausted).
  virtual Result<u32> acquire(const model::Address& server) = 0;
  virtual void release(const model::Address& server) = 0;

  // What the kernel takes as its own: its local routes.
  [[nodiscard]] virtual std::vector<model::Prefix> own_prefixes() const { return {}; }

  // Called when resolved rows have other addresses of the director (NextHop::address) than before, or own_prefixes() has changed, but not for what acquire()
  // and release() change themselves.
  void on_change(std::function<void()> listener) { listener_ = std::move(listener); }

 protected:
  void tell_change() const {
    if (listener_) listener_();
  }

 private:
  std::function<void()> listener_;
};

}  // namespace penstock::control
