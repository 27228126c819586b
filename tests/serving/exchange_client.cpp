#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/serving/content.hpp"
#include "tests/serving/exchange.hpp"
#include "tests/serving/inet.hpp"

namespace penstock::serving {
namespace {

constexpr std::size_t chunk_size = 65536;
constexpr timeval tcp_silence_max{.tv_sec = 15, .tv_usec = 0};
constexpr timeval udp_silence_max{.tv_sec = 1, .tv_usec = 0};
constexpr unsigned udp_tries_max = 5;

Result<FileDescriptor> connect_to(const Exchange& exchange, int type, const timeval& silence_max) {
  const auto peer = socket_address(exchange.address, exchange.port);
  if (!peer) return fail(peer.error());
  FileDescriptor socket(::socket(peer->family(), type | SOCK_CLOEXEC, 0));
  const SocketAddress own = any_address(peer->family(), exchange.from_port);
  const int on = 1;
  const bool is_set = socket && setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                      setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &silence_max, sizeof silence_max) == 0 &&
                      setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &silence_max, sizeof silence_max) == 0;
  if (!is_set || bind(socket.get(), own.get(), own.size) != 0) return fail_errno("a socket", errno);
  if (::connect(socket.get(), peer->get(), peer->size) != 0) {
    return fail_errno("connecting to " + to_string(*peer), errno == EINPROGRESS ? ETIMEDOUT : errno);
  }
  return socket;
}

Result<Report> judge(const Request& request, const Answer& answer) {
  if (answer.received != request.upload || answer.right != answer.received) {
    return fail(ErrorCode::protocol,
                fmt::format("the server received {} of {} bytes, the first {} of them as they were sent",
                            answer.received, request.upload, answer.right));
  }
  return Report{.peer = answer.peer.data(), .reached = answer.reached.data()};
}

tl::unexpected<Error> wrong_at(std::uint64_t place) {
  return fail(ErrorCode::protocol, fmt::format("byte {} of what came down is wrong", place));
}

Result<void> send_upload(int socket, const Request& request) {
  if (::send(socket, &request, sizeof request, MSG_NOSIGNAL) != sizeof request) return fail_errno("sending", errno);
  std::vector<std::byte> chunk(chunk_size);
  for (std::uint64_t sent = 0; sent < request.upload;) {
    const std::span part(chunk.data(), std::min<std::size_t>(chunk.size(), request.upload - sent));
    fill(part, request.seed, sent);
    // Blocking: all of it, unless nobody takes it for the time of silence.
    const ssize_t size = ::send(socket, part.data(), part.size(), MSG_NOSIGNAL);
    if (size <= 0) return fail_errno(fmt::format("after {} bytes up", sent), errno);
    sent += static_cast<std::uint64_t>(size);
  }
  return {};
}

Result<void> take_download(int socket, const Request& request) {
  std::vector<std::byte> chunk(chunk_size);
  std::uint64_t received = 0;
  for (;;) {
    const ssize_t size = ::recv(socket, chunk.data(), chunk.size(), 0);
    if (size < 0) return fail_errno(fmt::format("after {} bytes down", received), errno);
    if (size == 0) break;
    const std::span got(chunk.data(), static_cast<std::size_t>(size));
    if (const std::size_t right = count_right(got, request.seed + 1, received); right != got.size()) {
      return wrong_at(received + right);
    }
    received += got.size();
  }
  if (received == request.download) return {};
  return fail(ErrorCode::protocol, fmt::format("{} of {} bytes came down", received, request.download));
}

Result<Report> by_tcp(const Exchange& exchange) {
  const auto socket = connect_to(exchange, SOCK_STREAM, tcp_silence_max);
  if (!socket) return fail(socket.error());
  if (auto sent = send_upload(socket->get(), exchange.request); !sent) return fail(sent.error());
  Answer answer;
  const ssize_t size = ::recv(socket->get(), &answer, sizeof answer, MSG_WAITALL);
  if (size < 0) return fail_errno("waiting for the answer", errno);
  if (size != sizeof answer) return fail(ErrorCode::protocol, "the connection ended before the answer");
  if (auto taken = take_download(socket->get(), exchange.request); !taken) return fail(taken.error());
  return judge(exchange.request, answer);
}

Result<Report> read_datagram(const Request& request, std::span<const std::byte> datagram) {
  Answer answer;
  if (datagram.size() != sizeof answer + request.download) {
    return fail(ErrorCode::protocol,
                fmt::format("the answer is {} bytes instead of {}", datagram.size(), sizeof answer + request.download));
  }
  std::memcpy(&answer, datagram.data(), sizeof answer);
  const auto content = datagram.subspan(sizeof answer);
  if (const std::size_t right = count_right(content, request.seed + 1, 0); right != content.size()) {
    return wrong_at(right);
  }
  return judge(request, answer);
}

Result<Report> by_udp(const Exchange& exchange) {
  const Request& request = exchange.request;
  if (std::max(request.upload, request.download) > datagram_content_max) {
    return fail(ErrorCode::invalid_argument, fmt::format("a datagram holds {} bytes at most", datagram_content_max));
  }
  const auto socket = connect_to(exchange, SOCK_DGRAM, udp_silence_max);
  if (!socket) return fail(socket.error());
  std::vector<std::byte> question(sizeof request + request.upload);
  std::memcpy(question.data(), &request, sizeof request);
  fill(std::span(question).subspan(sizeof request), request.seed, 0);
  std::vector<std::byte> buffer(sizeof(Answer) + datagram_content_max);
  int problem = 0;
  for (unsigned tries = 1; tries <= udp_tries_max; ++tries) {
    // What an ICMP error said about the last datagram is reported here, once; EMSGSIZE comes with a new path MTU.
    if (::send(socket->get(), question.data(), question.size(), 0) < 0) problem = errno;
    const ssize_t size = ::recv(socket->get(), buffer.data(), buffer.size(), 0);
    if (size < 0) {
      problem = errno;
      continue;
    }
    auto report = read_datagram(request, std::span(buffer.data(), static_cast<std::size_t>(size)));
    if (report) report->tries = tries;
    return report;
  }
  return fail_errno(fmt::format("no answer to {} datagrams", udp_tries_max), problem);
}

}  // namespace

Result<Report> make_exchange(const Exchange& exchange) {
  return exchange.transport == Transport::tcp ? by_tcp(exchange) : by_udp(exchange);
}

}  // namespace penstock::serving
