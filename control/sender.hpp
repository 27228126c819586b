// Where frames that the daemon makes leave.
#pragma once

#include <span>

#include "datapath/abi/types.hpp"

namespace penstock::control {

class Sender {
 public:
  virtual ~Sender() = default;

  // A whole Ethernet frame, by the interface of that index. What can't be sent is lost, as on any link.
  virtual void send(u32 interface, std::span<const u8> frame) = 0;
};

}  // namespace penstock::control
