// Asking by ARP and hearing the answers, on one interface.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "doctor/facts.hpp"
#include "doctor/look/descriptor.hpp"

namespace penstock::doctor {

struct NeighbourAnswer {
  model::Address address;
  Mac mac;
};

class ArpProbe {
 public:
  // `mac` is the interface's own.
  [[nodiscard]] static Result<ArpProbe> open(std::uint32_t interface, const Mac& mac);

  [[nodiscard]] Result<void> ask(const model::Address& address, const std::optional<model::Address>& source) const;
  // The next answer that has come. Nothing: there is none.
  [[nodiscard]] std::optional<NeighbourAnswer> take() const;

  [[nodiscard]] int fd() const { return socket_.fd(); }

 private:
  ArpProbe(Descriptor socket, std::uint32_t interface, const Mac& mac)
      : socket_(std::move(socket)), interface_(interface), mac_(mac) {}

  Descriptor socket_;
  std::uint32_t interface_;
  Mac mac_;
};

}  // namespace penstock::doctor
