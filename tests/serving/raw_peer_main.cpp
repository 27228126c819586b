// raw_peer serve sctp|ah|esp [PORT]              answers each packet in the background, from the address it was sent to: SCTP chunks by
//                                                what their protocol answers, on that port; AH and ESP by the same bytes
// raw_peer ask sctp ADDRESS PORT SIZE            a handshake and a DATA chunk of that size; says what was wrong
// raw_peer ask ah|esp ADDRESS SIZE               one packet
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>

#include "tests/serving/content.hpp"
#include "tests/serving/inet.hpp"
#include "tests/serving/raw_packet.hpp"

namespace penstock::serving {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t packet_size_max = 65536;
constexpr unsigned tries_max = 3;
constexpr auto answer_time_max = 1s;
constexpr std::uint16_t sctp_client_port = 40'000;
constexpr std::uint32_t tag = 0x50454e53;

// Raw IPv4 sockets give the IP header, too.
std::span<const std::byte> payload_of(int family, std::span<const std::byte> packet) {
  if (family == AF_INET6 || packet.empty()) return packet;
  const std::size_t header = (std::to_integer<std::size_t>(packet[0]) & 0xf) * 4;
  return packet.subspan(std::min(header, packet.size()));
}

Result<FileDescriptor> open_raw(int family, int protocol) {
  FileDescriptor socket(::socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!socket) return fail_errno("a raw socket", errno);
  if (auto noted = note_own_address(socket.get(), family); !noted) return fail(noted.error());
  return socket;
}

std::optional<Bytes> answer_to(const RawProtocol& protocol, std::uint16_t port, std::span<const std::byte> asked) {
  if (protocol.number != IPPROTO_SCTP) return Bytes(asked.begin(), asked.end());
  auto packet = read_sctp(asked);
  if (!packet || packet->destination != port) return std::nullopt;
  std::swap(packet->source, packet->destination);
  packet->chunk = sctp_answer_to(packet->chunk);
  return write_sctp(*packet);
}

Result<void> serve(const RawProtocol& protocol, std::uint16_t port) {
  std::array<FileDescriptor, 2> sockets;
  std::array<pollfd, 2> polled{};
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    auto socket = open_raw(i == 0 ? AF_INET : AF_INET6, protocol.number);
    if (!socket) return fail(socket.error());
    sockets[i] = std::move(*socket);
    polled[i] = {.fd = sockets[i].get(), .events = POLLIN, .revents = 0};
  }
  go_into_background();
  Bytes buffer(packet_size_max);
  for (;;) {
    if (poll(polled.data(), polled.size(), -1) < 0) return fail_errno("poll", errno);
    for (const pollfd& ready : polled) {
      if ((ready.revents & POLLIN) == 0) continue;
      const auto datagram = receive(ready.fd, buffer);
      if (!datagram) continue;
      const auto asked = payload_of(datagram->peer.family(), std::span(buffer).first(datagram->size));
      const auto reply = answer_to(protocol, port, asked);
      if (reply && !answer(ready.fd, *datagram, *reply)) return fail_errno("answering", errno);
    }
  }
}

class Asker {
 public:
  Asker(const SocketAddress& peer, FileDescriptor socket) : peer_(peer), socket_(std::move(socket)) {}

  // The first packet that comes from the peer within the time, the question sent again where none does.
  Result<Bytes> ask(const Bytes& question) {
    Bytes buffer(packet_size_max);
    for (unsigned tries = 0; tries < tries_max; ++tries) {
      if (sendto(socket_.get(), question.data(), question.size(), 0, peer_.get(), peer_.size) < 0) {
        return fail_errno("sending", errno);
      }
      const auto deadline = Clock::now() + answer_time_max;
      while (wait_until(deadline)) {
        const auto datagram = receive(socket_.get(), buffer);
        if (!datagram || to_string(without_port(datagram->peer)) != to_string(without_port(peer_))) continue;
        const auto payload = payload_of(peer_.family(), std::span(buffer).first(datagram->size));
        return Bytes(payload.begin(), payload.end());
      }
    }
    return fail(ErrorCode::unavailable, fmt::format("no answer to {} packets", tries_max), ETIMEDOUT);
  }

 private:
  bool wait_until(Clock::time_point deadline) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd readable{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    return left.count() > 0 && poll(&readable, 1, static_cast<int>(left.count())) == 1;
  }

  // A raw socket's peer has the protocol where others have the port.
  static SocketAddress without_port(SocketAddress address) {
    reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = 0;  // at the same place in both families
    return address;
  }

  SocketAddress peer_;
  FileDescriptor socket_;
};

Result<Asker> asker_of(const RawProtocol& protocol, const std::string& address) {
  const auto peer = socket_address(address, 0);
  if (!peer) return fail(peer.error());
  auto socket = open_raw(peer->family(), protocol.number);
  if (!socket) return fail(socket.error());
  return Asker(*peer, std::move(*socket));
}

Result<void> ask_chunk(Asker& asker, std::uint16_t port, std::uint8_t chunk, std::size_t size) {
  SctpPacket packet{.source = sctp_client_port,
                    .destination = port,
                    .tag = chunk == sctp_init ? 0 : tag,  // RFC 9260 §8.5.1
                    .chunk = chunk,
                    .value = Bytes(size)};
  fill(packet.value, chunk + size, 0);
  const auto bytes = asker.ask(write_sctp(packet));
  if (!bytes) return fail(bytes.error());
  const auto reply = read_sctp(*bytes);
  if (!reply) return fail(reply.error());
  if (reply->source != port || reply->destination != sctp_client_port || reply->tag != packet.tag) {
    return fail(ErrorCode::protocol,
                fmt::format("answered by port {} to {}, tag {:x}", reply->source, reply->destination, reply->tag));
  }
  if (reply->chunk != sctp_answer_to(chunk) || reply->value != packet.value) {
    return fail(ErrorCode::protocol, fmt::format("chunk {} of {} bytes came back as another", chunk, size));
  }
  return {};
}

Result<void> ask_sctp(Asker& asker, std::uint16_t port, std::size_t size) {
  constexpr std::size_t init_size = 16;  // tag, window, streams out and in, first TSN
  for (const auto& [chunk, value_size] :
       {std::pair{sctp_init, init_size}, {sctp_cookie_echo, size}, {sctp_data, size}}) {
    if (auto asked = ask_chunk(asker, port, chunk, value_size); !asked) return asked;
  }
  return {};
}

Result<void> ask_ipsec(Asker& asker, const RawProtocol& protocol, std::size_t size) {
  const Bytes question = write_ipsec(protocol, 0x1000, size);
  const auto reply = asker.ask(question);
  if (!reply) return fail(reply.error());
  if (*reply != question)
    return fail(ErrorCode::protocol, fmt::format("{} bytes came back as others", question.size()));
  return {};
}

int say(const Result<void>& result) {
  if (!result) fmt::print(stderr, "raw_peer: {}\n", result.error().message);
  return result ? 0 : 1;
}

int run(int count, char** words) {
  const std::string_view verb = count > 2 ? words[1] : "";
  const auto protocol = raw_protocol(count > 2 ? words[2] : "");
  const bool is_sctp = protocol && protocol->number == IPPROTO_SCTP;
  const auto number = [&](int i) { return std::strtoul(words[i], nullptr, 10); };
  if (verb == "serve" && protocol && count == (is_sctp ? 4 : 3)) {
    return say(serve(*protocol, is_sctp ? static_cast<std::uint16_t>(number(3)) : std::uint16_t{0}));
  }
  if (verb == "ask" && protocol && count == (is_sctp ? 6 : 5)) {
    auto asker = asker_of(*protocol, words[3]);
    if (!asker) return say(fail(asker.error()));
    return say(is_sctp ? ask_sctp(*asker, static_cast<std::uint16_t>(number(4)), number(5))
                       : ask_ipsec(*asker, *protocol, number(4)));
  }
  fmt::print(stderr,
             "usage: raw_peer serve sctp PORT | serve ah|esp | ask sctp ADDRESS PORT SIZE | ask ah|esp ADDRESS SIZE\n");
  return 2;
}

}  // namespace
}  // namespace penstock::serving

int main(int count, char** words) { return penstock::serving::run(count, words); }
