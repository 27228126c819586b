// A director without packets for tests and fuzzers of the command line: IPVS's rules on services and servers as ipvsadm meets them in
// its recordings, in as few lines as they need. Not the model's rules: the test of both is tests/golden.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <string_view>

#include "api/director.hpp"
#include "cli/names.hpp"
#include "model/desired_state.hpp"

namespace penstock::cli {

class FakeDirector final : public api::Director {
 public:
  std::vector<api::ServiceView> views;
  std::vector<api::ConnectionView> connection_views;
  api::Timeouts current_timeouts{900, 120, 300};
  std::optional<Error> refusal;  // of every change, if set
  int zeroed = 0;
  model::DesiredState others;  // settings, mark rules and local addresses: these are Penstock's own

  Result<void> add_service(const model::Service& service) override {
    if (refusal) return fail(*refusal);
    if (find(service.key) != nullptr) return error(EEXIST);
    if (!has_parts(service)) return error(ENOENT);
    views.push_back({.service = service, .statistics = {}, .rates = {}, .servers = {}});
    return {};
  }
  Result<void> edit_service(const model::Service& service) override {
    if (refusal) return fail(*refusal);
    api::ServiceView* view = find(service.key);
    if (view == nullptr) return error(ESRCH);
    if (!has_parts(service)) return error(ENOENT);
    view->service = service;
    return {};
  }
  Result<void> delete_service(const model::ServiceKey& key) override {
    if (refusal) return fail(*refusal);
    if (find(key) == nullptr) return error(ESRCH);
    std::erase_if(views, [&](const api::ServiceView& view) { return view.service.key == key; });
    return {};
  }
  Result<void> flush() override {
    if (refusal) return fail(*refusal);
    views.clear();
    return {};
  }
  Result<void> add_server(const model::ServiceKey& key, const model::RealServer& server) override {
    if (refusal) return fail(*refusal);
    api::ServiceView* view = find(key);
    if (view == nullptr) return error(ESRCH);
    if (const int errno_value = fault_of(server)) return error(errno_value);
    if (find(*view, server.endpoint) != nullptr) return error(EEXIST);
    view->servers.insert(view->servers.begin(), api::ServerView{.server = server, .statistics = {}, .rates = {}});
    return {};
  }
  Result<void> edit_server(const model::ServiceKey& key, const model::RealServer& server) override {
    if (refusal) return fail(*refusal);
    api::ServiceView* view = find(key);
    if (view == nullptr) return error(ESRCH);
    if (const int errno_value = fault_of(server)) return error(errno_value);
    api::ServerView* known = find(*view, server.endpoint);
    if (known == nullptr) return error(ENOENT);
    known->server = server;
    return {};
  }
  Result<void> delete_server(const model::ServiceKey& key, const model::Endpoint& endpoint) override {
    if (refusal) return fail(*refusal);
    api::ServiceView* view = find(key);
    if (view == nullptr) return error(ESRCH);
    if (find(*view, endpoint) == nullptr) return error(ENOENT);
    std::erase_if(view->servers, [&](const api::ServerView& each) { return each.server.endpoint == endpoint; });
    return {};
  }
  Result<void> zero(const std::optional<model::ServiceKey>& key) override {
    if (refusal) return fail(*refusal);
    if (key && find(*key) == nullptr) return error(ESRCH);
    ++zeroed;
    return {};
  }
  Result<std::vector<api::ServiceView>> services() override { return views; }
  Result<api::ServiceView> service(const model::ServiceKey& key) override {
    if (const api::ServiceView* view = find(key)) return *view;
    return error(ESRCH);
  }
  Result<void> connections(const std::function<void(const api::ConnectionView&)>& each) override {
    for (const api::ConnectionView& view : connection_views) each(view);
    return {};
  }
  Result<api::Timeouts> timeouts() override { return current_timeouts; }
  Result<void> set_timeouts(const api::Timeouts& timeouts) override {
    if (refusal) return fail(*refusal);
    if (timeouts.tcp_s != 0) current_timeouts.tcp_s = timeouts.tcp_s;
    if (timeouts.tcp_fin_s != 0) current_timeouts.tcp_fin_s = timeouts.tcp_fin_s;
    if (timeouts.udp_s != 0) current_timeouts.udp_s = timeouts.udp_s;
    return {};
  }
  Result<api::Info> info() override {
    return api::Info{
        .connection_buckets = 4096, .connections_max = 1 << 20, .interfaces = {{"eth0", "native"}, {"eth1", "tc"}}};
  }
  Result<std::vector<api::Counter>> reasons() override {
    return std::vector<api::Counter>{
        {"pass_icmp", 12, false}, {"no_destination", 3, false}, {"bug", 0, false}, {"stateless", 7, true}};
  }
  Result<std::vector<api::Setting>> settings() override {
    std::vector<api::Setting> all;
    for (const model::SettingRule& rule : model::setting_rules())
      all.push_back({std::string(rule.name), std::string(value_of(others.settings(), rule))});
    return all;
  }
  Result<void> set_setting(const std::string& name, const std::string& value) override {
    return others.set_setting(name, value);
  }
  Result<std::vector<model::MarkRule>> mark_rules() override { return others.mark_rules(); }
  Result<void> add_mark_rule(const model::MarkRule& rule) override { return others.add_mark_rule(rule); }
  Result<void> delete_mark_rule(const model::MarkRule& rule) override { return others.delete_mark_rule(rule); }
  Result<std::vector<model::Address>> local_addresses() override { return others.local_addresses(); }
  Result<void> add_local_address(const model::Address& address) override { return others.add_local_address(address); }
  Result<void> delete_local_address(const model::Address& address) override {
    return others.delete_local_address(address);
  }

 private:
  static tl::unexpected<Error> error(int errno_value) {
    return fail(ErrorCode::invalid_argument, "as IPVS refuses it", errno_value);
  }
  static bool has_parts(const model::Service& service) {
    constexpr std::array<std::string_view, 14> schedulers = {"rr", "wrr", "lc",  "wlc", "lblc", "lblcr", "dh",
                                                             "sh", "mh",  "sed", "nq",  "fo",   "ovf",   "none"};
    const bool known = std::find(schedulers.begin(), schedulers.end(), service.scheduler) != schedulers.end();
    return known && (service.persistence_engine.empty() || service.persistence_engine == "sip");
  }
  static int fault_of(const model::RealServer& server) {
    const model::Address& address = server.endpoint.address;
    const bool multicast = address.family == model::Family::ipv4 && (address.bytes[0] >= 224 || address.bytes[0] == 0);
    if (multicast) return EINVAL;
    return server.lower_threshold > server.upper_threshold ? ERANGE : 0;
  }
  api::ServiceView* find(const model::ServiceKey& key) {
    for (api::ServiceView& view : views)
      if (view.service.key == key) return &view;
    return nullptr;
  }
  static api::ServerView* find(api::ServiceView& view, const model::Endpoint& endpoint) {
    for (api::ServerView& each : view.servers)
      if (each.server.endpoint == endpoint) return &each;
    return nullptr;
  }
};

// The hosts and services that ipvsadm was recorded with, and no network.
class FakeNames final : public Names {
 public:
  std::optional<model::Address> address_of_host(const std::string& host) const override {
    for (const Host& each : hosts)
      if (host == each.name) {
        const auto address = model::parse_address(each.address);
        if (address && address->family == model::Family::ipv4) return address;
      }
    return std::nullopt;
  }
  std::optional<std::string> host_of_address(const model::Address& address) const override {
    for (const Host& each : hosts)
      if (model::to_string(address) == each.address) return std::string(each.name);
    return std::nullopt;
  }
  std::optional<std::uint16_t> port_of_service(const std::string& service, model::Protocol protocol) const override {
    for (const Service& each : service_names)
      if (service == each.name && protocol == each.protocol) return each.port;
    return std::nullopt;
  }
  std::optional<std::string> service_of_port(std::uint16_t port, model::Protocol protocol) const override {
    for (const Service& each : service_names)
      if (port == each.port && protocol == each.protocol) return std::string(each.name);
    return std::nullopt;
  }

 private:
  struct Host {
    const char* address;
    std::string_view name;
  };
  struct Service {
    std::string_view name;
    std::uint16_t port;
    model::Protocol protocol;
  };
  static constexpr std::array hosts = {
      Host{"127.0.0.1", "localhost"},
      Host{"10.1.0.100", "vip.example"},
      Host{"10.2.0.11", "rs1.example"},
      Host{"10.2.0.11", "rs1"},
      Host{"10.2.0.12", "a-real-server-with-a-very-long-name.example"},
      Host{"10.1.0.101", "a-virtual-server-with-a-very-long-name.example"},
      Host{"10.2.0.13", "x123456789x123456789.example"},
      Host{"fd00:2::11", "rs1v6.example"},
      Host{"fd00:1::100", "vip6.example"},
      Host{"fd00:2::12", "an-ipv6-real-server-with-a-very-long-name.example"},
      Host{"fd00:1::101", "an-ipv6-virtual-server-with-a-very-long-name.example"},
  };
  static constexpr std::array service_names = {
      Service{"tcpmux", 1, model::Protocol::tcp},    Service{"echo", 7, model::Protocol::tcp},
      Service{"gopher", 70, model::Protocol::tcp},   Service{"finger", 79, model::Protocol::tcp},
      Service{"http", 80, model::Protocol::tcp},     Service{"www", 80, model::Protocol::tcp},
      Service{"kerberos", 88, model::Protocol::tcp}, Service{"acr-nema", 104, model::Protocol::tcp},
      Service{"pop3", 110, model::Protocol::tcp},    Service{"sunrpc", 111, model::Protocol::tcp},
      Service{"https", 443, model::Protocol::tcp},   Service{"http-alt", 8080, model::Protocol::tcp},
      Service{"domain", 53, model::Protocol::udp},   Service{"tftp", 69, model::Protocol::udp},
      Service{"ntp", 123, model::Protocol::udp},     Service{"sip", 5060, model::Protocol::udp},
  };
};

}  // namespace penstock::cli
