#include "api/client.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "api/codec.hpp"
#include "api/frame.hpp"
#include "api/socket_path.hpp"

namespace penstock::api {
namespace {

// A blocking stream of frames; closed for good after the first failure, because the position in it is lost.
class Stream {
 public:
  Stream(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { close_socket(); }

  Result<void> send(std::string_view text) {
    const FrameHeader header = frame_header(static_cast<std::uint32_t>(text.size()));
    std::string bytes(header.begin(), header.end());
    bytes += text;
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t count = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return broken("sending to", errno);
      sent += static_cast<std::size_t>(count);
    }
    return {};
  }

  Result<std::string> receive() {
    FrameHeader header{};
    if (auto got = fill(header.data(), header.size()); !got) return fail(got.error());
    const std::size_t length = frame_length(header);
    if (length > reply_bytes_max) {
      close_socket();
      return fail(ErrorCode::protocol, fmt::format("reading from {}: a frame of {} bytes announced, the limit is {}",
                                                   path_, length, reply_bytes_max));
    }
    std::string text(length, '\0');
    if (auto got = fill(text.data(), text.size()); !got) return fail(got.error());
    return text;
  }

  void close_socket() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Result<void> fill(void* to, std::size_t size) {
    auto* bytes = static_cast<char*>(to);
    while (size > 0) {
      const ssize_t count = ::recv(fd_, bytes, size, 0);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return broken("reading from", errno);
      if (count == 0) return broken("reading from", 0);
      bytes += count;
      size -= static_cast<std::size_t>(count);
    }
    return {};
  }

  tl::unexpected<Error> broken(const char* doing, int errno_value) {
    close_socket();
    if (errno_value == EAGAIN || errno_value == EWOULDBLOCK)
      return fail(ErrorCode::unavailable,
                  fmt::format("{} {}: penstockd did not answer within {} s", doing, path_, answer_timeout_s),
                  ETIMEDOUT);
    if (errno_value == 0 || errno_value == ECONNRESET || errno_value == EPIPE)
      return fail(ErrorCode::unavailable, fmt::format("{} {}: penstockd closed the connection", doing, path_),
                  errno_value);
    return fail_errno(fmt::format("{} {}", doing, path_), errno_value);
  }

  int fd_;
  std::string path_;
};

class Client final : public Director {
 public:
  Client(int fd, const std::string& path) : stream_(fd, path) {}

  Result<void> add_service(const model::Service& service) override { return order(AddService{service}); }
  Result<void> edit_service(const model::Service& service) override { return order(EditService{service}); }
  Result<void> delete_service(const model::ServiceKey& key) override { return order(DeleteService{key}); }
  Result<void> flush() override { return order(Flush{}); }

  Result<void> add_server(const model::ServiceKey& key, const model::RealServer& server) override {
    return order(AddServer{key, server});
  }
  Result<void> edit_server(const model::ServiceKey& key, const model::RealServer& server) override {
    return order(EditServer{key, server});
  }
  Result<void> delete_server(const model::ServiceKey& key, const model::Endpoint& endpoint) override {
    return order(DeleteServer{key, endpoint});
  }

  Result<void> zero(const std::optional<model::ServiceKey>& key) override { return order(Zero{key}); }

  Result<std::vector<ServiceView>> services() override {
    std::vector<ServiceView> views;
    auto done = ask<ServiceView>(ListServices{}, [&](ServiceView&& view) { views.push_back(std::move(view)); });
    if (!done) return fail(done.error());
    return views;
  }
  Result<ServiceView> service(const model::ServiceKey& key) override { return ask_one<ServiceView>(GetService{key}); }

  Result<void> connections(const std::function<void(const ConnectionView&)>& each) override {
    return ask<std::vector<ConnectionView>>(ListConnections{}, [&](std::vector<ConnectionView>&& chunk) {
      for (const ConnectionView& connection : chunk) each(connection);
    });
  }

  Result<Timeouts> timeouts() override { return ask_one<Timeouts>(GetTimeouts{}); }
  Result<void> set_timeouts(const Timeouts& timeouts) override { return order(SetTimeouts{timeouts}); }
  Result<Info> info() override { return ask_one<Info>(GetInfo{}); }
  Result<std::vector<Counter>> reasons() override { return ask_one<std::vector<Counter>>(ListReasons{}); }

  Result<std::vector<Setting>> settings() override { return ask_one<std::vector<Setting>>(ListSettings{}); }
  Result<void> set_setting(const std::string& name, const std::string& value) override {
    return order(SetSetting{{name, value}});
  }

  Result<std::vector<model::MarkRule>> mark_rules() override {
    return ask_one<std::vector<model::MarkRule>>(ListMarkRules{});
  }
  Result<void> add_mark_rule(const model::MarkRule& rule) override { return order(AddMarkRule{rule}); }
  Result<void> delete_mark_rule(const model::MarkRule& rule) override { return order(DeleteMarkRule{rule}); }

  Result<std::vector<model::Address>> local_addresses() override {
    return ask_one<std::vector<model::Address>>(ListLocalAddresses{});
  }
  Result<void> add_local_address(const model::Address& address) override { return order(AddLocalAddress{address}); }
  Result<void> delete_local_address(const model::Address& address) override {
    return order(DeleteLocalAddress{address});
  }

 private:
  Result<Reply> next_reply() {
    const auto text = stream_.receive();
    if (!text) return fail(text.error());
    auto reply = decode_reply(*text);
    if (!reply) return out_of_step(reply.error());
    return reply;
  }

  tl::unexpected<Error> out_of_step(Error error) {
    stream_.close_socket();
    return with_context(fmt::format("understanding penstockd at {}", stream_.path()), std::move(error));
  }

  // Sends `request` and hands each value of the answer to `take`.
  template <typename Value, typename Take>
  Result<void> ask(const Request& request, Take take) {
    if (auto sent = stream_.send(encode_request(request)); !sent) return sent;
    for (;;) {
      auto reply = next_reply();
      if (!reply) return fail(reply.error());
      if (std::holds_alternative<Done>(*reply)) return {};
      if (auto* error = std::get_if<Error>(&*reply)) return fail(std::move(*error));
      auto* value = std::get_if<Value>(&*reply);
      if (value == nullptr) return out_of_step(Error{ErrorCode::protocol, "an answer to another question", 0});
      take(std::move(*value));
    }
  }

  template <typename Value>
  Result<Value> ask_one(const Request& request) {
    std::optional<Value> value;
    auto done = ask<Value>(request, [&](Value&& received) { value = std::move(received); });
    if (!done) return fail(done.error());
    if (!value) return out_of_step(Error{ErrorCode::protocol, "an answer without a value", 0});
    return std::move(*value);
  }

  Result<void> order(const Request& request) {
    // Done and Error are the only answers to an order; Error as the value type refuses all others.
    return ask<Error>(request, [](const Error&) {});
  }

  Stream stream_;
};

tl::unexpected<Error> connect_failure(const std::string& path, int errno_value) {
  const std::string tried = "connecting to " + path;
  if (errno_value == ENOENT || errno_value == ECONNREFUSED)
    return fail(ErrorCode::unavailable,
                fmt::format("no penstockd in this network namespace: {}: {}; start it with: penstockd", tried,
                            std::strerror(errno_value)),
                errno_value);
  if (errno_value == EACCES || errno_value == EPERM)
    return fail(ErrorCode::permission_denied,
                fmt::format("{}: {}; the socket belongs to root and to the group given with penstockd --socket-group",
                            tried, std::strerror(errno_value)),
                errno_value);
  return fail_errno(tried, errno_value);
}

}  // namespace

Result<std::unique_ptr<Director>> connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return connect_failure(path, ENAMETOOLONG);
  path.copy(address.sun_path, path.size());

  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail_errno("creating a socket", errno);
  auto client = std::make_unique<Client>(fd, path);
  const timeval timeout{.tv_sec = answer_timeout_s, .tv_usec = 0};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0 ||
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0)
    return fail_errno("limiting the wait on " + path, errno);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return connect_failure(path, errno);
  return client;
}

Result<std::unique_ptr<Director>> connect() {
  const auto path = control_socket_path();
  if (!path) return fail(path.error());
  return connect(*path);
}

}  // namespace penstock::api
