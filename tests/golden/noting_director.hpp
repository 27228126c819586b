// A director that remembers why it refused: whether Penstock does not have something is told by the error's code, never by
// the sentence that a tool made of it.
#pragma once

#include <optional>

#include "api/director.hpp"

namespace penstock::golden {

class NotingDirector final : public api::Director {
 public:
  explicit NotingDirector(api::Director& director) : director_(director) {}

  // The first thing since the last call that was refused as ErrorCode::unsupported.
  [[nodiscard]] std::optional<Error> take_unsupported();

  Result<void> add_service(const model::Service& service) override;
  Result<void> edit_service(const model::Service& service) override;
  Result<void> delete_service(const model::ServiceKey& key) override;
  Result<void> flush() override;
  Result<void> add_server(const model::ServiceKey& key, const model::RealServer& server) override;
  Result<void> edit_server(const model::ServiceKey& key, const model::RealServer& server) override;
  Result<void> delete_server(const model::ServiceKey& key, const model::Endpoint& endpoint) override;
  Result<void> zero(const std::optional<model::ServiceKey>& key) override;
  Result<std::vector<api::ServiceView>> services() override;
  Result<api::ServiceView> service(const model::ServiceKey& key) override;
  Result<void> connections(const std::function<void(const api::ConnectionView&)>& each) override;
  Result<api::Timeouts> timeouts() override;
  Result<void> set_timeouts(const api::Timeouts& timeouts) override;
  Result<api::Info> info() override;
  Result<std::vector<api::Counter>> reasons() override;
  Result<std::vector<api::Setting>> settings() override;
  Result<void> set_setting(const std::string& name, const std::string& value) override;
  Result<std::vector<model::MarkRule>> mark_rules() override;
  Result<void> add_mark_rule(const model::MarkRule& rule) override;
  Result<void> delete_mark_rule(const model::MarkRule& rule) override;
  Result<std::vector<model::Address>> local_addresses() override;
  Result<void> add_local_address(const model::Address& address) override;
  Result<void> delete_local_address(const model::Address& address) override;

 private:
  template <typename T>
  Result<T> note(Result<T> result);

  api::Director& director_;
  std::optional<Error> unsupported_;
};

}  // namespace penstock::golden
