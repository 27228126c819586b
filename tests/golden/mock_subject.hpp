// For tests: a director that answers what it is told to.
#pragma once

#include <gmock/gmock.h>

#include "tests/golden/subject.hpp"

namespace penstock::golden {

class MockDirector : public api::Director {
 public:
  MOCK_METHOD(Result<void>, add_service, (const model::Service&), (override));
  MOCK_METHOD(Result<void>, edit_service, (const model::Service&), (override));
  MOCK_METHOD(Result<void>, delete_service, (const model::ServiceKey&), (override));
  MOCK_METHOD(Result<void>, flush, (), (override));
  MOCK_METHOD(Result<void>, add_server, (const model::ServiceKey&, const model::RealServer&), (override));
  MOCK_METHOD(Result<void>, edit_server, (const model::ServiceKey&, const model::RealServer&), (override));
  MOCK_METHOD(Result<void>, delete_server, (const model::ServiceKey&, const model::Endpoint&), (override));
  MOCK_METHOD(Result<void>, zero, (const std::optional<model::ServiceKey>&), (override));
  MOCK_METHOD(Result<std::vector<api::ServiceView>>, services, (), (override));
  MOCK_METHOD(Result<api::ServiceView>, service, (const model::ServiceKey&), (override));
  MOCK_METHOD(Result<void>, connections, (const std::function<void(const api::ConnectionView&)>&), (override));
  MOCK_METHOD(Result<api::Timeouts>, timeouts, (), (override));
  MOCK_METHOD(Result<void>, set_timeouts, (const api::Timeouts&), (override));
  MOCK_METHOD(Result<std::vector<api::Setting>>, settings, (), (override));
  MOCK_METHOD(Result<void>, set_setting, (const std::string&, const std::string&), (override));
  MOCK_METHOD(Result<std::vector<model::MarkRule>>, mark_rules, (), (override));
  MOCK_METHOD(Result<void>, add_mark_rule, (const model::MarkRule&), (override));
  MOCK_METHOD(Result<void>, delete_mark_rule, (const model::MarkRule&), (override));
  MOCK_METHOD(Result<std::vector<model::Address>>, local_addresses, (), (override));
  MOCK_METHOD(Result<void>, add_local_address, (const model::Address&), (override));
  MOCK_METHOD(Result<void>, delete_local_address, (const model::Address&), (override));
  MOCK_METHOD(Result<api::Info>, info, (), (override));
  MOCK_METHOD(Result<std::vector<api::Counter>>, reasons, (), (override));
};

class MockSubject : public Subject {
 public:
  [[nodiscard]] std::string name() const override { return "mock"; }
  api::Director& control() override { return director; }
  MOCK_METHOD(Result<Reaction>, send, (Interface, const Bytes&), (override));
  MOCK_METHOD(Result<void>, advance, (std::chrono::milliseconds), (override));
  MOCK_METHOD(Result<void>, set_mtu, (Interface, std::uint32_t), (override));
  MOCK_METHOD(Result<Totals>, totals, (), (override));

  testing::NiceMock<MockDirector> director;
};

}  // namespace penstock::golden
