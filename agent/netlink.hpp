// The few things that a real server asks rtnetlink: interfaces, addresses, the host route, and what hangs on an interface's clsact.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "model/address.hpp"
#include "netlink/socket.hpp"

namespace penstock::agent {

struct LinkRow {
  std::uint32_t index = 0;
  std::string name;
  std::string kind;  // IFLA_INFO_KIND; empty for hardware
  bool is_up = false;
  bool is_ethernet = false;
  bool is_enslaved = false;
};

struct AddressRow {
  std::uint32_t interface = 0;
  model::Address address;
  std::uint8_t prefix_length = 0;
  std::string label;  // IPv4
};

class Netlink {
 public:
  // In the network namespace of the calling thread.
  [[nodiscard]] static Result<Netlink> open();

  [[nodiscard]] Result<std::vector<LinkRow>> links();
  [[nodiscard]] Result<std::vector<AddressRow>> addresses();

  enum class Side { in, out };
  [[nodiscard]] Result<bool> has_clsact(std::uint32_t interface);
  [[nodiscard]] Result<std::uint32_t> count_filters(std::uint32_t interface, Side side);

  // A route to that address alone, in the main table, of any kind or maker.
  [[nodiscard]] Result<bool> has_host_route(const model::Address& address, std::uint32_t interface);
  [[nodiscard]] Result<void> add_host_route(const model::Address& address, std::uint32_t interface);
  [[nodiscard]] Result<void> delete_host_route(const model::Address& address, std::uint32_t interface);

  // With a full prefix; IPv6 without duplicate detection. `label` is for IPv4.
  [[nodiscard]] Result<void> add_address(const model::Address& address, std::uint32_t interface,
                                         const std::string& label);
  [[nodiscard]] Result<void> delete_address(const model::Address& address, std::uint32_t interface);

 private:
  explicit Netlink(netlink::Socket socket) : socket_(std::move(socket)) {}

  netlink::Socket socket_;
};

}  // namespace penstock::agent
