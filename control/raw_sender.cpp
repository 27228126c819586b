#include "control/raw_sender.hpp"

#include <fmt/format.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "control/permission.hpp"
#include "datapath/core/wire.hpp"

namespace penstock::control {

Result<RawSender> RawSender::open(Log log) {
  File socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));  // of no protocol: it hears nothing
  if (!socket.is_open()) return fail_privileged("opening a packet socket", errno);
  return RawSender(std::move(socket), std::move(log));
}

void RawSender::send(u32 interface, std::span<const u8> frame) {
  if (frame.size() < sizeof(EthernetHeader)) return;
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(interface);
  std::memcpy(&to.sll_protocol, frame.data() + offsetof(EthernetHeader, type), sizeof to.sll_protocol);
  const ssize_t sent =
      sendto(socket_.fd(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  if (sent < 0 && told_.insert(errno).second)
    log_.warn(
        fmt::format("sending a frame of {} bytes by interface {}: {}", frame.size(), interface, std::strerror(errno)));
}

}  // namespace penstock::control
