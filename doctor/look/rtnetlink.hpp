// Interfaces, addresses, neighbours, routes and TC's programs, as the kernel lists them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "doctor/facts.hpp"

struct mnl_socket;

namespace penstock::doctor {

// A socket that asks, in the network namespace of the thread that opened it.
class Rtnetlink {
 public:
  [[nodiscard]] static Result<Rtnetlink> open();

  // Without what sysctl and ethtool know.
  [[nodiscard]] Result<std::vector<Interface>> interfaces();
  [[nodiscard]] Result<std::vector<OwnAddress>> addresses();
  [[nodiscard]] Result<std::vector<Neighbour>> neighbours();
  // None is an answer, too.
  [[nodiscard]] Result<Way> way_to(const model::Address& address);
  // Names of the BPF programs among TC's filters on what arrives, or leaves, by an interface.
  enum class Direction { in, out };
  [[nodiscard]] Result<std::vector<std::string>> filters(std::uint32_t interface, Direction direction);

 private:
  struct Close {
    void operator()(mnl_socket* socket) const;
  };
  class Question;

  explicit Rtnetlink(mnl_socket* socket) : socket_(socket) {}
  template <typename Each>
  Result<void> ask(Question& question, Each each);

  std::unique_ptr<mnl_socket, Close> socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace penstock::doctor
