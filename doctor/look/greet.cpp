#include "doctor/look/greet.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <span>

#include "doctor/look/descriptor.hpp"

namespace penstock::doctor {
namespace {

using Clock = std::chrono::steady_clock;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress socket_address(const model::Endpoint& endpoint) {
  SocketAddress address;
  if (endpoint.address.family == model::Family::ipv4) {
    sockaddr_in ipv4{};
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(endpoint.port);
    std::memcpy(&ipv4.sin_addr, endpoint.address.bytes.data(), sizeof ipv4.sin_addr);
    std::memcpy(&address.storage, &ipv4, sizeof ipv4);
    address.size = sizeof ipv4;
  } else {
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(endpoint.port);
    std::memcpy(&ipv6.sin6_addr, endpoint.address.bytes.data(), sizeof ipv6.sin6_addr);
    std::memcpy(&address.storage, &ipv6, sizeof ipv6);
    address.size = sizeof ipv6;
  }
  return address;
}

Greeting greeting_of(int problem) {
  if (problem == 0) return Greeting::accepted;
  return problem == ECONNREFUSED ? Greeting::refused : Greeting::silent;
}

// A connection on its way, or its end.
struct Call {
  Descriptor socket;
  Attempt* attempt;
};

// Nothing: it ended at once.
Descriptor begin(const GreetingPlan& plan, Attempt& attempt) {
  const bool is_ipv4 = attempt.to.address.family == model::Family::ipv4;
  Descriptor socket(::socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (plan.from) {
    // Best effort: an address that has just gone leaves the choice to the kernel.
    const SocketAddress from = socket_address({.address = *plan.from});
    (void)bind(socket.fd(), reinterpret_cast<const sockaddr*>(&from.storage), from.size);
  }
  const SocketAddress to = socket_address(attempt.to);
  if (connect(socket.fd(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) == 0) {
    attempt.greeting = Greeting::accepted;
    return Descriptor();
  }
  if (errno == EINPROGRESS) return socket;
  attempt.greeting = greeting_of(errno);
  return Descriptor();
}

Greeting end(const Descriptor& socket) {
  int problem = 0;
  socklen_t size = sizeof problem;
  if (getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &problem, &size) != 0) return Greeting::silent;
  return greeting_of(problem);
}

std::vector<Call> begin_all(std::span<const GreetingPlan> plans, std::vector<Attempt>& attempts) {
  std::vector<Call> calls;
  attempts.reserve(plans.size());
  for (const GreetingPlan& plan : plans) {
    Attempt& attempt = attempts.emplace_back(Attempt{.to = plan.to, .must_answer = plan.must_answer});
    if (Descriptor socket = begin(plan, attempt); socket.is_open()) calls.push_back({std::move(socket), &attempt});
  }
  return calls;
}

std::vector<Attempt> greet_some(std::span<const GreetingPlan> plans, Clock::time_point deadline) {
  std::vector<Attempt> attempts;
  std::vector<Call> calls = begin_all(plans, attempts);
  while (!calls.empty()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) break;
    std::vector<pollfd> waiting;
    for (const Call& call : calls) waiting.push_back({.fd = call.socket.fd(), .events = POLLOUT, .revents = 0});
    if (poll(waiting.data(), waiting.size(), static_cast<int>(left.count())) <= 0) continue;
    std::vector<Call> rest;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      if (waiting[i].revents == 0)
        rest.push_back(std::move(calls[i]));
      else
        calls[i].attempt->greeting = end(calls[i].socket);
    }
    calls.swap(rest);
  }
  return attempts;
}

}  // namespace

std::vector<Attempt> greet(const std::vector<GreetingPlan>& plans, std::chrono::milliseconds time_max) {
  std::vector<Attempt> attempts;
  for (std::span<const GreetingPlan> rest(plans); !rest.empty();) {
    const std::size_t count = std::min(rest.size(), greetings_max);
    std::ranges::move(greet_some(rest.first(count), Clock::now() + time_max), std::back_inserter(attempts));
    rest = rest.subspan(count);
  }
  return attempts;
}

}  // namespace penstock::doctor
