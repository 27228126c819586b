#include "lab/forward.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace penstock::lab {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;
constexpr auto no_throw = asio::experimental::as_tuple(asio::use_awaitable);

constexpr auto connect_time_max = 10s;
constexpr auto accept_pause = 100ms;  // when descriptors are short
constexpr int backlog = 128;

tcp::endpoint endpoint_of(const model::Endpoint& endpoint) {
  if (endpoint.address.family == model::Family::ipv4) {
    asio::ip::address_v4::bytes_type bytes;
    std::copy_n(endpoint.address.bytes.begin(), bytes.size(), bytes.begin());
    return {asio::ip::address_v4(bytes), endpoint.port};
  }
  return {asio::ip::address_v6(endpoint.address.bytes), endpoint.port};
}

// Until `from` has no more; then `to` is told so.
asio::awaitable<void> copy(tcp::socket& from, tcp::socket& to) {
  std::array<char, 16384> buffer;
  for (;;) {
    const auto [ended, size] = co_await from.async_read_some(asio::buffer(buffer), no_throw);
    if (ended) break;
    const auto [failed, written] = co_await asio::async_write(to, asio::buffer(buffer, size), no_throw);
    if (failed) break;
  }
  error_code ignored;
  to.shutdown(tcp::socket::shutdown_send, ignored);
}

// False: nobody takes it, or not in time.
asio::awaitable<bool> connect(tcp::socket& socket, const tcp::endpoint& to) {
  asio::steady_timer timer(socket.get_executor(), connect_time_max);
  const auto first = co_await (socket.async_connect(to, no_throw) || timer.async_wait(no_throw));
  co_return first.index() == 0 && !std::get<0>(std::get<0>(first));
}

asio::awaitable<void> lead(tcp::socket browser, tcp::endpoint to, std::size_t& connections) {
  tcp::socket server(browser.get_executor());
  if (co_await connect(server, to)) co_await (copy(browser, server) && copy(server, browser));
  --connections;
}

asio::awaitable<void> accept_all(tcp::acceptor& acceptor, tcp::endpoint to) {
  std::size_t connections = 0;
  for (;;) {
    auto [error, browser] = co_await acceptor.async_accept(no_throw);
    if (error) {
      asio::steady_timer pause(acceptor.get_executor(), accept_pause);
      co_await pause.async_wait(no_throw);
    } else if (connections < forwarded_connections_max) {
      ++connections;
      asio::co_spawn(acceptor.get_executor(), lead(std::move(browser), to, connections), asio::detached);
    }
  }
}

Result<FileDescriptor> listen_on_loopback(std::uint16_t port) {
  FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;  // what an earlier lab left in TIME_WAIT is not in the way
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), backlog) != 0) {
    return fail_errno(fmt::format("listening on 127.0.0.1:{} of this machine", port), errno);
  }
  return listener;
}

unsigned port_of(const FileDescriptor& listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// A socket stays in the network namespace that it was made in: the listener in the machine's, those to come in the host's.
[[noreturn]] void live_as_forward(const FileDescriptor& listener, const model::Endpoint& to, const RunningHost& host) {
  if (setns(host.pidfd.get(), CLONE_NEWNET) != 0) {
    fmt::print(stderr, "forward: entering the network of {}: {}\n", host.name, std::generic_category().message(errno));
    _exit(1);
  }
  asio::io_context context(1);
  tcp::acceptor acceptor(context, tcp::v4(), listener.get());
  asio::co_spawn(context, accept_all(acceptor, endpoint_of(to)), asio::detached);
  context.run();
  _exit(1);
}

}  // namespace

Result<RunningForward> start_forward(const Forward& forward, const RunningHost& host, const std::string& log) {
  const auto listener = listen_on_loopback(forward.port);
  if (!listener) return fail(listener.error());
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return fail_errno("fork for a forward", errno);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    prctl(PR_SET_NAME, "lab:forward");
    reset_signals();
    ::signal(SIGPIPE, SIG_IGN);
    redirect_to_log(log, {listener->get(), host.pidfd.get()});
    live_as_forward(*listener, forward.to, host);
  }
  const auto process = identify(pid);
  if (!process) return fail(process.error());
  auto pidfd = open_process(*process);
  if (!pidfd) return fail(std::move(pidfd.error()));
  return RunningForward{
      .process = *process,
      .pidfd = std::move(*pidfd),
      .url = forward.url.empty() ? fmt::format("http://127.0.0.1:{}/", port_of(*listener)) : forward.url};
}

}  // namespace penstock::lab
