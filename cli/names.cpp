#include "cli/names.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace penstock::cli {
namespace {

class SystemNames final : public Names {
 public:
  std::optional<model::Address> address_of_host(const std::string& host) const override {
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
    sockaddr_in socket_address{};
    std::memcpy(&socket_address, found->ai_addr, sizeof socket_address);
    freeaddrinfo(found);
    model::Address address;
    std::memcpy(address.bytes.data(), &socket_address.sin_addr, 4);
    return address;
  }

  std::optional<std::string> host_of_address(const model::Address& address) const override {
    if (address.family == model::Family::ipv4) {
      sockaddr_in socket_address{};
      socket_address.sin_family = AF_INET;
      std::memcpy(&socket_address.sin_addr, address.bytes.data(), 4);
      return host_of(reinterpret_cast<const sockaddr*>(&socket_address), sizeof socket_address);
    }
    sockaddr_in6 socket_address{};
    socket_address.sin6_family = AF_INET6;
    std::memcpy(&socket_address.sin6_addr, address.bytes.data(), 16);
    return host_of(reinterpret_cast<const sockaddr*>(&socket_address), sizeof socket_address);
  }

  std::optional<std::uint16_t> port_of_service(const std::string& service, model::Protocol protocol) const override {
    const servent* entry = getservbyname(service.c_str(), model::to_string(protocol));
    if (entry == nullptr) return std::nullopt;
    return ntohs(static_cast<std::uint16_t>(entry->s_port));
  }

  std::optional<std::string> service_of_port(std::uint16_t port, model::Protocol protocol) const override {
    const servent* entry = getservbyport(htons(port), model::to_string(protocol));
    if (entry == nullptr) return std::nullopt;
    return entry->s_name;
  }

 private:
  static std::optional<std::string> host_of(const sockaddr* address, socklen_t length) {
    char host[NI_MAXHOST] = {};
    if (getnameinfo(address, length, host, sizeof host, nullptr, 0, NI_NAMEREQD) != 0) return std::nullopt;
    return host;
  }
};

}  // namespace

const Names& system_names() {
  static const SystemNames names;
  return names;
}

}  // namespace penstock::cli
