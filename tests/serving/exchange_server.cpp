#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "tests/serving/content.hpp"
#include "tests/serving/exchange.hpp"
#include "tests/serving/inet.hpp"

namespace penstock::serving {
namespace {

constexpr std::size_t chunk_size = 65536;

void copy_text(std::array<char, 64>& field, const std::string& text) {
  std::copy_n(text.begin(), std::min(text.size(), field.size() - 1), field.begin());
}

bool send_all(int socket, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

void take_upload(int socket, const Request& request, Answer& answer) {
  std::vector<std::byte> chunk(chunk_size);
  while (answer.received < request.upload) {
    const std::size_t room = std::min<std::size_t>(chunk.size(), request.upload - answer.received);
    const ssize_t size = ::recv(socket, chunk.data(), room, 0);
    if (size <= 0) return;
    const std::span got(chunk.data(), static_cast<std::size_t>(size));
    if (answer.right == answer.received) answer.right += count_right(got, request.seed, answer.received);
    answer.received += got.size();
  }
}

void send_download(int socket, const Request& request) {
  std::vector<std::byte> chunk(chunk_size);
  for (std::uint64_t sent = 0; sent < request.download;) {
    const std::span part(chunk.data(), std::min<std::size_t>(chunk.size(), request.download - sent));
    fill(part, request.seed + 1, sent);
    if (!send_all(socket, part)) return;
    sent += part.size();
  }
}

void answer_connection(const FileDescriptor& socket) {
  Request request;
  if (::recv(socket.get(), &request, sizeof request, MSG_WAITALL) != sizeof request) return;
  Answer answer;
  SocketAddress peer;
  SocketAddress own;
  getpeername(socket.get(), peer.get(), &peer.size);
  getsockname(socket.get(), own.get(), &own.size);
  copy_text(answer.peer, to_string(peer));
  copy_text(answer.reached, to_string(own));
  take_upload(socket.get(), request, answer);
  if (send_all(socket.get(), std::as_bytes(std::span(&answer, 1)))) send_download(socket.get(), request);
}

void accept_connection(int listener) {
  const FileDescriptor socket(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket || fork() != 0) return;
  answer_connection(socket);
  _exit(0);
}

void answer_datagram(int socket) {
  std::vector<std::byte> buffer(sizeof(Request) + datagram_content_max);
  const auto datagram = receive(socket, buffer);
  Request request;
  if (!datagram || datagram->size < sizeof request) return;
  std::memcpy(&request, buffer.data(), sizeof request);
  if (request.download > datagram_content_max) return;
  const std::span content(buffer.data() + sizeof request, datagram->size - sizeof request);
  Answer report{.received = content.size(), .right = count_right(content, request.seed, 0)};
  copy_text(report.peer, to_string(datagram->peer));
  copy_text(report.reached, to_string(datagram->own));
  std::vector<std::byte> reply(sizeof report + request.download);
  std::memcpy(reply.data(), &report, sizeof report);
  fill(std::span(reply).subspan(sizeof report), request.seed + 1, 0);
  if (!answer(socket, *datagram, reply)) return;
}

Result<FileDescriptor> open_socket(int type, std::uint16_t port) {
  FileDescriptor socket(::socket(AF_INET6, type | SOCK_CLOEXEC, 0));
  const SocketAddress any = any_address(AF_INET6, port);
  const int on = 1;
  const int off = 0;
  const bool is_set = socket && setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                      setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0;
  if (!is_set || bind(socket.get(), any.get(), any.size) != 0) return fail_errno(fmt::format("port {}", port), errno);
  if (type == SOCK_STREAM && listen(socket.get(), SOMAXCONN) != 0) return fail_errno("listen", errno);
  if (type == SOCK_DGRAM) {
    if (auto noted = note_own_address(socket.get(), AF_INET6); !noted) return fail(noted.error());
  }
  return socket;
}

}  // namespace

Result<void> serve(const std::vector<std::uint16_t>& ports, void (*ready)()) {
  signal(SIGCHLD, SIG_IGN);  // nobody asks how they ended
  std::vector<FileDescriptor> sockets;
  std::vector<pollfd> polled;
  for (const std::uint16_t port : ports) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
      auto socket = open_socket(type, port);
      if (!socket) return fail(socket.error());
      polled.push_back({.fd = socket->get(), .events = POLLIN, .revents = 0});
      sockets.push_back(std::move(*socket));
    }
  }
  ready();
  for (;;) {
    if (poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) return fail_errno("poll", errno);
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if ((polled[i].revents & POLLIN) == 0) continue;
      i % 2 == 0 ? accept_connection(polled[i].fd) : answer_datagram(polled[i].fd);
    }
  }
}

}  // namespace penstock::serving
