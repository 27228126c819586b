// One exchange of known content, over TCP or UDP: the client sends a Request and `upload` bytes of content, the server says what
// arrived and sends `download` bytes. Each end compares byte by byte. Both run on the same machine, so integers go as they are.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace penstock::serving {

struct Request {
  std::uint64_t seed = 0;  // of what goes up; what comes down has the next
  std::uint64_t upload = 0;
  std::uint64_t download = 0;
};

struct Answer {
  std::uint64_t received = 0;
  std::uint64_t right = 0;         // of these, from the first on
  std::array<char, 64> peer{};     // as the server saw it
  std::array<char, 64> reached{};  // the server's address in this connection
};

inline constexpr std::uint64_t datagram_content_max = 60'000;

// Answers on these ports, TCP and UDP, both families; returns only on failure. `ready` is called once all of them listen.
[[nodiscard]] Result<void> serve(const std::vector<std::uint16_t>& ports, void (*ready)());

enum class Transport { tcp, udp };

struct Exchange {
  Transport transport = Transport::tcp;
  std::string address;
  std::uint16_t port = 0;
  std::uint16_t from_port = 0;  // 0: any
  Request request;
};

struct Report {
  std::string peer;
  std::string reached;
  unsigned tries = 1;  // datagrams may be lost: what was too big is sent again in smaller ones
};

// An error says which byte was wrong.
[[nodiscard]] Result<Report> make_exchange(const Exchange& exchange);

}  // namespace penstock::serving
