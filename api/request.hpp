// Every question that a client may put to a director, as values: one for each method of Director (director.hpp).
#pragma once

#include <optional>
#include <variant>

#include "api/types.hpp"

namespace penstock::api {

struct AddService {
  model::Service service;
};
struct EditService {
  model::Service service;
};
struct DeleteService {
  model::ServiceKey key;
};
struct Flush {};
struct AddServer {
  model::ServiceKey key;
  model::RealServer server;
};
struct EditServer {
  model::ServiceKey key;
  model::RealServer server;
};
struct DeleteServer {
  model::ServiceKey key;
  model::Endpoint endpoint;
};
struct Zero {
  std::optional<model::ServiceKey> key;
};
struct ListServices {};
struct GetService {
  model::ServiceKey key;
};
struct ListConnections {};
struct GetTimeouts {};
struct SetTimeouts {
  Timeouts timeouts;
};
struct GetInfo {};
struct ListReasons {};
struct ListSettings {};
struct SetSetting {
  Setting setting;
};
struct ListMarkRules {};
struct AddMarkRule {
  model::MarkRule rule;
};
struct DeleteMarkRule {
  model::MarkRule rule;
};
struct ListLocalAddresses {};
struct AddLocalAddress {
  model::Address address;
};
struct DeleteLocalAddress {
  model::Address address;
};

using Request =
    std::variant<AddService, EditService, DeleteService, Flush, AddServer, EditServer, DeleteServer, Zero, ListServices,
                 GetService, ListConnections, GetTimeouts, SetTimeouts, GetInfo, ListReasons, ListSettings, SetSetting,
                 ListMarkRules, AddMarkRule, DeleteMarkRule, ListLocalAddresses, AddLocalAddress, DeleteLocalAddress>;

}  // namespace penstock::api
