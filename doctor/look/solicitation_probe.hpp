// Asking by neighbour solicitation (RFC 4861 §4.3) and hearing the advertisements, on one interface. The kernel chooses the source,
// mostly the interface's link-local address.
#pragma once

#include <optional>

#include "base/result.hpp"
#include "doctor/look/arp_probe.hpp"

namespace penstock::doctor {

class SolicitationProbe {
 public:
  // `mac` is the interface's own.
  [[nodiscard]] static Result<SolicitationProbe> open(std::uint32_t interface, const Mac& mac);

  [[nodiscard]] Result<void> ask(const model::Address& address) const;
  // The next answer that has come. Nothing: there is none.
  [[nodiscard]] std::optional<NeighbourAnswer> take() const;

  [[nodiscard]] int fd() const { return socket_.fd(); }

 private:
  SolicitationProbe(Descriptor socket, std::uint32_t interface, const Mac& mac)
      : socket_(std::move(socket)), interface_(interface), mac_(mac) {}

  Descriptor socket_;
  std::uint32_t interface_;
  Mac mac_;
};

}  // namespace penstock::doctor
