// Socket addresses and the datagram calls that keep to the address which a request was sent to: a server with the VIP on lo must
// answer from it.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "lab/file_descriptor.hpp"

namespace penstock::serving {

using lab::FileDescriptor;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
};

// A literal IPv4 or IPv6 address.
[[nodiscard]] Result<SocketAddress> socket_address(const std::string& address, std::uint16_t port);
[[nodiscard]] SocketAddress any_address(int family, std::uint16_t port);
// 192.0.2.1:80, [2001:db8::1]:80; an IPv4 address inside an IPv6 one is written as what it is.
[[nodiscard]] std::string to_string(const SocketAddress& address);

struct Datagram {
  std::size_t size = 0;
  SocketAddress peer;
  SocketAddress own;  // which it was sent to; its port is 0
};

// The socket has been told so by `note_own_address`.
[[nodiscard]] Result<void> note_own_address(int socket, int family);
[[nodiscard]] std::optional<Datagram> receive(int socket, std::span<std::byte> buffer);
// From `own` to `peer` of the datagram that is answered.
[[nodiscard]] bool answer(int socket, const Datagram& asked, std::span<const std::byte> payload);

// The caller's shell goes on; this process lives on in a session of its own.
void go_into_background();

}  // namespace penstock::serving
