// A route netlink socket: questions with their answers, or a stream of notifications. Messages stay libmnl's; what they
// say is read by message.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>

#include "base/result.hpp"

struct nlmsghdr;
struct mnl_socket;

namespace penstock::netlink {

class Socket {
 public:
  using Each = std::function<void(const nlmsghdr*)>;

  // In the network namespace of the calling thread. `groups` are RTNLGRP_*; none for a socket that only asks.
  [[nodiscard]] static Result<Socket> open(std::initializer_list<std::uint32_t> groups = {});

  // Sends a request (flags are completed here) and waits for the whole of its answer. The kernel's refusal is its errno.
  [[nodiscard]] Result<void> ask(nlmsghdr* request, const Each& each = [](const nlmsghdr*) {});

  // All notifications that are waiting. False: some were lost for want of space, so what is known has to be asked anew.
  [[nodiscard]] Result<bool> drain(const Each& each);

  [[nodiscard]] int fd() const;

 private:
  struct Close {
    void operator()(mnl_socket* socket) const;
  };

  explicit Socket(mnl_socket* socket) : socket_(socket) {}

  std::unique_ptr<mnl_socket, Close> socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace penstock::netlink
