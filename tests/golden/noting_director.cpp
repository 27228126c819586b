#include "tests/golden/noting_director.hpp"

#include <utility>

namespace penstock::golden {

template <typename T>
Result<T> NotingDirector::note(Result<T> result) {
  if (!result && result.error().code == ErrorCode::unsupported && !unsupported_) unsupported_ = result.error();
  return result;
}

std::optional<Error> NotingDirector::take_unsupported() { return std::exchange(unsupported_, std::nullopt); }

Result<void> NotingDirector::add_service(const model::Service& service) { return note(director_.add_service(service)); }
Result<void> NotingDirector::edit_service(const model::Service& service) {
  return note(director_.edit_service(service));
}
Result<void> NotingDirector::delete_service(const model::ServiceKey& key) {
  return note(director_.delete_service(key));
}
Result<void> NotingDirector::flush() { return note(director_.flush()); }

Result<void> NotingDirector::add_server(const model::ServiceKey& key, const model::RealServer& server) {
  return note(director_.add_server(key, server));
}
Result<void> NotingDirector::edit_server(const model::ServiceKey& key, const model::RealServer& server) {
  return note(director_.edit_server(key, server));
}
Result<void> NotingDirector::delete_server(const model::ServiceKey& key, const model::Endpoint& endpoint) {
  return note(director_.delete_server(key, endpoint));
}

Result<void> NotingDirector::zero(const std::optional<model::ServiceKey>& key) { return note(director_.zero(key)); }
Result<std::vector<api::ServiceView>> NotingDirector::services() { return note(director_.services()); }
Result<api::ServiceView> NotingDirector::service(const model::ServiceKey& key) { return note(director_.service(key)); }
Result<void> NotingDirector::connections(const std::function<void(const api::ConnectionView&)>& each) {
  return note(director_.connections(each));
}

Result<api::Timeouts> NotingDirector::timeouts() { return note(director_.timeouts()); }
Result<void> NotingDirector::set_timeouts(const api::Timeouts& timeouts) {
  return note(director_.set_timeouts(timeouts));
}
Result<api::Info> NotingDirector::info() { return note(director_.info()); }
Result<std::vector<api::Counter>> NotingDirector::reasons() { return note(director_.reasons()); }

Result<std::vector<api::Setting>> NotingDirector::settings() { return note(director_.settings()); }
Result<void> NotingDirector::set_setting(const std::string& name, const std::string& value) {
  return note(director_.set_setting(name, value));
}
Result<std::vector<model::MarkRule>> NotingDirector::mark_rules() { return note(director_.mark_rules()); }
Result<void> NotingDirector::add_mark_rule(const model::MarkRule& rule) { return note(director_.add_mark_rule(rule)); }
Result<void> NotingDirector::delete_mark_rule(const model::MarkRule& rule) {
  return note(director_.delete_mark_rule(rule));
}
Result<std::vector<model::Address>> NotingDirector::local_addresses() { return note(director_.local_addresses()); }
Result<void> NotingDirector::add_local_address(const model::Address& address) {
  return note(director_.add_local_address(address));
}
Result<void> NotingDirector::delete_local_address(const model::Address& address) {
  return note(director_.delete_local_address(address));
}

}  // namespace penstock::golden
