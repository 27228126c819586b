// Sends frames by a packet socket, past the kernel's routing.
#pragma once

#include <set>

#include "base/file.hpp"
#include "base/result.hpp"
#include "control/log.hpp"
#include "control/sender.hpp"

namespace penstock::control {

class RawSender final : public Sender {
 public:
  // In the network namespace of the calling thread. Needs CAP_NET_RAW.
  [[nodiscard]] static Result<RawSender> open(Log log);

  void send(u32 interface, std::span<const u8> frame) override;

 private:
  RawSender(File socket, Log log) : socket_(std::move(socket)), log_(std::move(log)) {}

  File socket_;
  Log log_;
  std::set<int> told_;  // errors, each of which is told once
};

}  // namespace penstock::control
