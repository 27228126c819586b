// The one door to a director: every change and every question goes through this interface. The socket client implements it
// for programs, the daemon's writer for the daemon, and the recordings are replayed against the latter.
//
// Errors carry the errno that the kernel's IPVS would give, so that ipvsadm can say ipvsadm's words:
//   service missing ESRCH · service or server exists EEXIST · server, scheduler or engine missing ENOENT · value out of range
//   ERANGE · contradiction EINVAL. What IPVS has and Penstock cannot do yet is ErrorCode::unsupported, with a sentence.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/types.hpp"
#include "base/result.hpp"

namespace penstock::api {

class Director {
 public:
  virtual ~Director() = default;

  virtual Result<void> add_service(const model::Service& service) = 0;
  virtual Result<void> edit_service(const model::Service& service) = 0;
  virtual Result<void> delete_service(const model::ServiceKey& key) = 0;
  virtual Result<void> flush() = 0;

  virtual Result<void> add_server(const model::ServiceKey& key, const model::RealServer& server) = 0;
  virtual Result<void> edit_server(const model::ServiceKey& key, const model::RealServer& server) = 0;
  virtual Result<void> delete_server(const model::ServiceKey& key, const model::Endpoint& endpoint) = 0;

  // Counters of one service or, without a key, of everything.
  virtual Result<void> zero(const std::optional<model::ServiceKey>& key) = 0;

  virtual Result<std::vector<ServiceView>> services() = 0;
  virtual Result<ServiceView> service(const model::ServiceKey& key) = 0;
  // Calls once for every connection, in no order; memory does not grow with their number.
  virtual Result<void> connections(const std::function<void(const ConnectionView&)>& each) = 0;

  virtual Result<Timeouts> timeouts() = 0;
  virtual Result<void> set_timeouts(const Timeouts& timeouts) = 0;

  // All there are, by name (model/setting.hpp). A change holds from the next packet on. ENOENT, EINVAL.
  virtual Result<std::vector<Setting>> settings() = 0;
  virtual Result<void> set_setting(const std::string& name, const std::string& value) = 0;

  // In the order in which they hold: of those that match a packet the last counts. EEXIST, ENOENT, EINVAL, ENOSPC.
  virtual Result<std::vector<model::MarkRule>> mark_rules() = 0;
  virtual Result<void> add_mark_rule(const model::MarkRule& rule) = 0;
  virtual Result<void> delete_mark_rule(const model::MarkRule& rule) = 0;

  // The director's addresses that fullnat connects from. EEXIST, ENOENT, EINVAL, ENOSPC; EBUSY: the last one is needed.
  virtual Result<std::vector<model::Address>> local_addresses() = 0;
  virtual Result<void> add_local_address(const model::Address& address) = 0;
  virtual Result<void> delete_local_address(const model::Address& address) = 0;

  virtual Result<Info> info() = 0;
  // Packets by reason (datapath/abi/reason.hpp), since the data plane was loaded.
  virtual Result<std::vector<Counter>> reasons() = 0;
};

}  // namespace penstock::api
