// Addresses and ports as ipvsadm writes them, by number (-n) or by name.
#pragma once

#include <optional>
#include <string>

#include "cli/names.hpp"
#include "model/address.hpp"
#include "model/service.hpp"

namespace penstock::cli {

class AddressText {
 public:
  // `names` stays the caller's; nullptr: numbers.
  explicit AddressText(const Names* names) : names_(names) {}

  // "10.1.0.100:80", "[vip6.example]:https". Without a protocol (firewall marks) the port is a number. ipvsadm 1.31 cuts at 59
  // characters, in what -S writes too, so that another port is restored: not copied.
  [[nodiscard]] std::string full(const model::Endpoint& endpoint, std::optional<model::Protocol> protocol) const;
  // For a listing: IPv4 names are cut to the column's width, as ipvsadm does.
  [[nodiscard]] std::string in_column(const model::Endpoint& endpoint, std::optional<model::Protocol> protocol) const;

 private:
  const Names* names_;
};

}  // namespace penstock::cli
