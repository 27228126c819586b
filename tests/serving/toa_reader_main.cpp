// toa_reader: on a real server, in the background. Writes a line to /run/toa for each TCP segment that carries option 254, with the
// option's bytes: from=10.9.0.1:5001 to=10.0.0.32:9001 syn=0 data=1452 option=fe08b26ec000020a
// It reads what the wire brings (raw sockets), so it says what the director sent, whatever the server's kernel makes of it.
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "tests/serving/inet.hpp"

namespace penstock::serving {
namespace {

constexpr std::size_t packet_size_max = 65536;
constexpr std::size_t tcp_header_size = 20;
constexpr std::uint8_t option_end = 0;
constexpr std::uint8_t option_nothing = 1;
constexpr std::uint8_t option_client_address = 254;
constexpr const char* log_path = "/run/toa";

using Bytes = std::span<const std::byte>;

std::uint8_t number(std::byte byte) { return std::to_integer<std::uint8_t>(byte); }

Bytes find_option(Bytes options) {
  while (options.size() >= 2 && number(options[0]) != option_end) {
    if (number(options[0]) == option_nothing) {
      options = options.subspan(1);
      continue;
    }
    const std::size_t size = number(options[1]);
    if (size < 2 || size > options.size()) return {};
    if (number(options[0]) == option_client_address) return options.first(size);
    options = options.subspan(size);
  }
  return {};
}

std::size_t header_size(Bytes segment) { return (number(segment[12]) >> 4) * 4U; }

Bytes options_of(Bytes segment) {
  if (segment.size() < tcp_header_size) return {};
  const std::size_t header = header_size(segment);
  if (header < tcp_header_size || header > segment.size()) return {};
  return segment.subspan(tcp_header_size, header - tcp_header_size);
}

// The ports are the segment's: a raw socket knows none.
std::string at_port(SocketAddress address, Bytes port) {
  const auto value = static_cast<std::uint16_t>(number(port[0]) << 8 | number(port[1]));
  reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = htons(value);  // at the same place in both families
  return to_string(address);
}

void note(std::FILE* log, const Datagram& datagram, Bytes segment) {
  const Bytes option = find_option(options_of(segment));
  if (option.empty()) return;
  std::string hex;
  for (const std::byte byte : option) hex += fmt::format("{:02x}", number(byte));
  fmt::print(log, "from={} to={} syn={} data={} option={}\n", at_port(datagram.peer, segment.subspan(0, 2)),
             at_port(datagram.own, segment.subspan(2, 2)), number(segment[13]) >> 1 & 1,
             segment.size() - header_size(segment), hex);
  std::fflush(log);
}

Result<void> read_for_ever() {
  std::array<FileDescriptor, 2> sockets;
  std::array<pollfd, 2> polled{};
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    const int family = i == 0 ? AF_INET : AF_INET6;
    sockets[i] = FileDescriptor(::socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!sockets[i]) return fail_errno("a raw socket", errno);
    if (auto noted = note_own_address(sockets[i].get(), family); !noted) return noted;
    polled[i] = {.fd = sockets[i].get(), .events = POLLIN, .revents = 0};
  }
  std::FILE* log = std::fopen(log_path, "we");
  if (log == nullptr) return fail_errno(log_path, errno);
  go_into_background();
  std::vector<std::byte> buffer(packet_size_max);
  for (;;) {
    if (poll(polled.data(), polled.size(), -1) < 0) return fail_errno("poll", errno);
    for (const pollfd& ready : polled) {
      if ((ready.revents & POLLIN) == 0) continue;
      const auto datagram = receive(ready.fd, buffer);
      if (!datagram) continue;
      Bytes packet = std::span(buffer).first(datagram->size);
      if (ready.fd == sockets[0].get() && !packet.empty()) {  // IPv4's come with their IP header
        packet = packet.subspan(std::min<std::size_t>((number(packet[0]) & 0xfU) * 4, packet.size()));
      }
      note(log, *datagram, packet);
    }
  }
}

}  // namespace
}  // namespace penstock::serving

int main() {
  const auto ended = penstock::serving::read_for_ever();
  fmt::print(stderr, "toa_reader: {}\n", ended.error().message);
  return 1;
}
