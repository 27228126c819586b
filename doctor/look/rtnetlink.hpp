// Interfaces, addresses, neighbours, routes and TC's programs, as the kernel lists them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "doctor/facts.hpp"
#include "netlink/socket.hpp"

namespace penstock::doctor {

// A socket that asks, in the network namespace of the thread that opened it.
class Rtnetlink {
 public:
  [[nodiscard]] static Result<Rtnetlink> open();

  // Without what sysctl and ethtool know.
  [[nodiscard]] Result<std::vector<Interface>> interfaces();
  [[nodiscard]] Result<std::vector<OwnAddress>> addresses();
  [[nodiscard]] Result<std::vector<Neighbour>> neighbours();
  // None is an answer, too.
  [[nodiscard]] Result<Way> way_to(const model::Address& address);
  // Names of the BPF programs among TC's filters on what arrives, or leaves, by an interface.
  enum class Direction { in, out };
  [[nodiscard]] Result<std::vector<std::string>> filters(std::uint32_t interface, Direction direction);

 private:
  explicit Rtnetlink(netlink::Socket socket) : socket_(std::move(socket)) {}

  netlink::Socket socket_;
};

}  // namespace penstock::doctor
