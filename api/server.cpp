#include "api/server.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>

#include "api/answer.hpp"
#include "api/codec.hpp"
#include "api/frame.hpp"
#include "api/listing.hpp"

namespace penstock::api {
namespace {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;
using boost::system::error_code;
constexpr auto no_throw = asio::experimental::as_tuple(asio::use_awaitable);

// True when the whole of `buffer` went through before `limit`.
asio::awaitable<bool> receive(Socket& socket, asio::mutable_buffer buffer, std::chrono::milliseconds limit) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(socket.get_executor(), limit);
  const auto first = co_await (asio::async_read(socket, buffer, no_throw) || timer.async_wait(no_throw));
  co_return first.index() == 0 && !std::get<0>(std::get<0>(first));
}

asio::awaitable<bool> transmit(Socket& socket, asio::const_buffer buffer) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(socket.get_executor(), client_stall_max);
  const auto first = co_await (asio::async_write(socket, buffer, no_throw) || timer.async_wait(no_throw));
  co_return first.index() == 0 && !std::get<0>(std::get<0>(first));
}

void append_frame(std::string& to, const Reply& reply) {
  std::string text = encode_reply(reply);
  if (text.size() > reply_bytes_max)
    text = encode_reply(Error{ErrorCode::exhausted, "the answer is longer than a frame may be", 0});
  const FrameHeader header = frame_header(static_cast<std::uint32_t>(text.size()));
  to.append(header.begin(), header.end());
  to += text;
}

asio::awaitable<bool> transmit_reply(Socket& socket, const Reply& reply) {
  std::string frame;
  append_frame(frame, reply);
  co_return co_await transmit(socket, asio::buffer(frame));
}

// The text of the next request; nothing when the client is gone, silent or sends too much (which it is told).
asio::awaitable<std::optional<std::string>> receive_request(Socket& socket) {
  FrameHeader header{};
  if (!co_await receive(socket, asio::buffer(header), client_idle_max)) co_return std::nullopt;
  const std::size_t length = frame_length(header);
  if (length > request_bytes_max) {
    const Reply refusal =
        Error{ErrorCode::protocol,
              fmt::format("a request of {} bytes announced, the limit is {}", length, request_bytes_max), 0};
    co_await transmit_reply(socket, refusal);
    co_return std::nullopt;
  }
  std::string text(length, '\0');
  if (!co_await receive(socket, asio::buffer(text), client_stall_max)) co_return std::nullopt;
  co_return text;
}

asio::awaitable<bool> list_connections(Socket& socket, Director& director) {
  const auto child = fork_listing(director, socket.native_handle());
  if (!child) co_return co_await transmit_reply(socket, Reply(child.error()));
  asio::posix::stream_descriptor ended(socket.get_executor(), child->pidfd);
  co_await ended.async_wait(asio::posix::stream_descriptor::wait_read, no_throw);
  int status = -1;
  const bool reaped = waitpid(child->pid, &status, 0) == child->pid;
  co_return reaped&& WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

asio::awaitable<bool> serve_request(Socket& socket, Director& director, const std::string& text) {
  const auto request = decode_request(text);
  if (!request) co_return co_await transmit_reply(socket, Reply(request.error()));
  if (std::holds_alternative<ListConnections>(*request)) co_return co_await list_connections(socket, director);
  std::string frames;
  answer(director, *request, [&](const Reply& reply) { append_frame(frames, reply); });
  co_return co_await transmit(socket, asio::buffer(frames));
}

class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::size_t& count_;
};

Result<void> admit_group(const std::string& path, const std::string& name) {
  const group* found = getgrnam(name.c_str());
  if (found == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no group \"{}\" on this machine", name));
  if (chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0)
    return fail_errno(fmt::format("giving {} to group {}", path, name), errno);
  return {};
}

// Mode and group are set before anybody can connect.
Result<int> listening_socket(const ServerOptions& options) {
  const std::string tried = "listening on " + options.path;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (options.path.size() >= sizeof address.sun_path) return fail_errno(tried, ENAMETOOLONG);
  options.path.copy(address.sun_path, options.path.size());

  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail_errno(tried, errno);
  const auto closing = [fd](auto failure) {
    close(fd);
    return failure;
  };
  if (unlink(options.path.c_str()) != 0 && errno != ENOENT)
    return closing(fail_errno("replacing " + options.path, errno));
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return closing(fail_errno(tried, errno));
  if (chmod(options.path.c_str(), 0660) != 0) return closing(fail_errno("protecting " + options.path, errno));
  if (options.group)
    if (auto admitted = admit_group(options.path, *options.group); !admitted) return closing(fail(admitted.error()));
  if (::listen(fd, SOMAXCONN) != 0) return closing(fail_errno(tried, errno));
  return fd;
}

}  // namespace

struct Server::State {
  State(asio::io_context& io, int fd, Director& served)
      : acceptor(io, asio::local::stream_protocol(), fd), director(served) {}

  asio::local::stream_protocol::acceptor acceptor;
  Director& director;
  std::size_t clients = 0;

  // Coroutines: parameters are copied into their frames, so that the state lives as long as the last of them.
  static asio::awaitable<void> accept(std::shared_ptr<State> state);
  static asio::awaitable<void> serve(std::shared_ptr<State> state, Socket socket);
};

asio::awaitable<void> Server::State::serve(std::shared_ptr<State> state, Socket socket) {
  const Counted counted(state->clients);
  if (state->clients > clients_max) {
    const Reply refusal = Error{ErrorCode::busy, fmt::format("penstockd already serves {} clients", clients_max), 0};
    co_await transmit_reply(socket, refusal);
    co_return;
  }
  for (;;) {
    const auto text = co_await receive_request(socket);
    if (!text || !co_await serve_request(socket, state->director, *text)) break;
  }
}

asio::awaitable<void> Server::State::accept(std::shared_ptr<State> state) {
  // Out of files: wait for some client to leave rather than spin.
  constexpr std::chrono::milliseconds retry_accept{200};
  asio::steady_timer pause(state->acceptor.get_executor());
  while (state->acceptor.is_open()) {
    auto [error, socket] = co_await state->acceptor.async_accept(no_throw);
    if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) break;
    if (error) {
      pause.expires_after(retry_accept);
      co_await pause.async_wait(no_throw);
      continue;
    }
    asio::co_spawn(state->acceptor.get_executor(), serve(state, std::move(socket)), asio::detached);
  }
}

Server::Server(std::shared_ptr<State> state, std::string path) : state_(std::move(state)), path_(std::move(path)) {}

Server::~Server() {
  error_code ignored;  // closing cannot fail in a way that anybody could mend
  state_->acceptor.close(ignored);
  unlink(path_.c_str());
}

Result<std::unique_ptr<Server>> Server::listen(asio::io_context& io, Director& director, const ServerOptions& options) {
  const auto fd = listening_socket(options);
  if (!fd) return fail(fd.error());
  try {
    auto state = std::make_shared<State>(io, *fd, director);
    asio::co_spawn(io, State::accept(state), asio::detached);
    return std::unique_ptr<Server>(new Server(std::move(state), options.path));
  } catch (const std::exception& problem) {
    return fail(ErrorCode::io, fmt::format("listening on {}: {}", options.path, problem.what()));
  }
}

}  // namespace penstock::api
