#include "api/server.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <future>
#include <thread>

#include "api/client.hpp"
#include "api/codec.hpp"
#include "api/frame.hpp"
#include "model/desired_state.hpp"

namespace penstock::api {
namespace {

using testing::HasSubstr;

const model::ServiceKey web{model::Protocol::tcp, {*model::parse_address("192.0.2.1"), 80}, 0};
const model::RealServer rs1 = [] {
  model::RealServer server;
  server.endpoint = {*model::parse_address("10.0.0.1"), 80};
  return server;
}();

model::Service web_service(const char* scheduler = "rr") {
  model::Service service;
  service.key = web;
  service.scheduler = scheduler;
  return service;
}

// Remembers services and their servers; answers the rest with numbers that a test can recognise.
class Remembering final : public Director {
 public:
  Result<void> add_service(const model::Service& service) override {
    for (const ServiceView& view : views_)
      if (view.service.key == service.key) return fail(ErrorCode::already_exists, "service exists", EEXIST);
    views_.push_back({.service = service, .statistics = {}, .rates = {}, .servers = {}});
    return {};
  }
  Result<void> edit_service(const model::Service& service) override {
    return find(service.key).map([&](ServiceView* view) { view->service = service; });
  }
  Result<void> delete_service(const model::ServiceKey& key) override {
    return find(key).map(
        [&](ServiceView*) { std::erase_if(views_, [&](const ServiceView& view) { return view.service.key == key; }); });
  }
  Result<void> flush() override {
    views_.clear();
    return {};
  }
  Result<void> add_server(const model::ServiceKey& key, const model::RealServer& server) override {
    return find(key).map([&](ServiceView* view) {
      view->servers.insert(view->servers.begin(), ServerView{.server = server, .statistics = {}, .rates = {}});
    });
  }
  Result<void> edit_server(const model::ServiceKey& key, const model::RealServer& server) override {
    return find(key).map([&](ServiceView* view) { view->servers.at(0).server = server; });
  }
  Result<void> delete_server(const model::ServiceKey& key, const model::Endpoint& endpoint) override {
    return find(key).map([&](ServiceView* view) {
      std::erase_if(view->servers, [&](const ServerView& server) { return server.server.endpoint == endpoint; });
    });
  }
  Result<void> zero(const std::optional<model::ServiceKey>& key) override {
    if (!key) return fail(ErrorCode::unsupported, "zero all");
    return find(*key).map([](ServiceView*) {});
  }
  Result<std::vector<ServiceView>> services() override { return views_; }
  Result<ServiceView> service(const model::ServiceKey& key) override {
    return find(key).map([](ServiceView* view) { return *view; });
  }
  Result<void> connections(const std::function<void(const ConnectionView&)>& each) override {
    for (std::uint32_t i = 0; i < connections_; ++i) {
      ConnectionView view{
          .client = rs1.endpoint, .vip = web.vip, .server = rs1.endpoint, .state = "ESTABLISHED", .expires_s = i};
      view.client.port = static_cast<std::uint16_t>(i);
      each(view);
    }
    return {};
  }
  Result<Timeouts> timeouts() override { return timeouts_; }
  Result<void> set_timeouts(const Timeouts& timeouts) override {
    timeouts_ = timeouts;
    return {};
  }
  Result<Info> info() override { return Info{.connection_buckets = 3, .connections_max = 24}; }
  Result<std::vector<Counter>> reasons() override { return std::vector<Counter>{{"too_big", 4, false}}; }

  Result<std::vector<Setting>> settings() override {
    std::vector<Setting> changed;
    for (const auto& [name, value] : others_.settings()) changed.push_back({name, value});
    return changed;
  }
  Result<void> set_setting(const std::string& name, const std::string& value) override {
    return others_.set_setting(name, value);
  }
  Result<std::vector<model::MarkRule>> mark_rules() override { return others_.mark_rules(); }
  Result<void> add_mark_rule(const model::MarkRule& rule) override { return others_.add_mark_rule(rule); }
  Result<void> delete_mark_rule(const model::MarkRule& rule) override { return others_.delete_mark_rule(rule); }
  Result<std::vector<model::Address>> local_addresses() override { return others_.local_addresses(); }
  Result<void> add_local_address(const model::Address& address) override { return others_.add_local_address(address); }
  Result<void> delete_local_address(const model::Address& address) override {
    return others_.delete_local_address(address);
  }

  std::uint32_t connections_ = 0;

 private:
  Result<ServiceView*> find(const model::ServiceKey& key) {
    for (ServiceView& view : views_)
      if (view.service.key == key) return &view;
    return fail(ErrorCode::not_found, "no such service", ESRCH);
  }

  std::vector<ServiceView> views_;
  Timeouts timeouts_;
  model::DesiredState others_;
};

// A server on a thread of its own, in a directory of its own.
class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    char name[] = "/tmp/penstock_server_test.XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ + "/control.sock";
  }
  ~ServerTest() override {
    stop();
    std::filesystem::remove_all(directory_);
  }

  void start() {
    auto listening = Server::listen(io_, director_, {.path = path_, .group = std::nullopt});
    ASSERT_TRUE(listening) << listening.error().message;
    server_ = std::move(*listening);
    thread_ = std::thread([this] { io_.run(); });
  }

  void stop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
    server_.reset();
  }

  std::unique_ptr<Director> client() {
    auto connected = connect(path_);
    EXPECT_TRUE(connected) << connected.error().message;
    return connected ? std::move(*connected) : nullptr;
  }

  // A connection that says whatever the test wants.
  int raw_client() {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, path_.size());
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }

  Remembering director_;
  boost::asio::io_context io_;
  std::string directory_;
  std::string path_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

std::string framed(const std::string& text) {
  const FrameHeader header = frame_header(static_cast<std::uint32_t>(text.size()));
  return std::string(header.begin(), header.end()) + text;
}

void say(int fd, const std::string& bytes) {
  ASSERT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

// The next reply on a raw connection; Done if the server closed it.
Reply hear(int fd) {
  FrameHeader header{};
  if (::recv(fd, header.data(), header.size(), MSG_WAITALL) != static_cast<ssize_t>(header.size())) return Done{};
  std::string text(frame_length(header), '\0');
  EXPECT_EQ(::recv(fd, text.data(), text.size(), MSG_WAITALL), static_cast<ssize_t>(text.size()));
  auto reply = decode_reply(text);
  EXPECT_TRUE(reply) << reply.error().message;
  return reply ? *reply : Reply{Done{}};
}

TEST_F(ServerTest, every_method_reaches_the_director) {
  start();
  const auto director = client();
  ASSERT_TRUE(director);
  ASSERT_TRUE(director->add_service(web_service("rr")));
  ASSERT_TRUE(director->edit_service(web_service("wrr")));
  ASSERT_TRUE(director->add_server(web, rs1));
  model::RealServer heavier = rs1;
  heavier.weight = 5;
  ASSERT_TRUE(director->edit_server(web, heavier));
  ASSERT_TRUE(director->zero(web));
  ASSERT_TRUE(director->set_timeouts({1, 2, 3}));

  const auto one = director->service(web);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->service.scheduler, "wrr");
  ASSERT_EQ(one->servers.size(), 1U);
  EXPECT_EQ(one->servers[0].server.weight, 5);
  const auto all = director->services();
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 1U);
  EXPECT_EQ(director->timeouts()->udp_s, 3U);
  EXPECT_EQ(director->info()->connections_max, 24U);
  EXPECT_EQ(director->reasons()->at(0).packets, 4U);

  ASSERT_TRUE(director->set_setting("net.ipv4.vs.sloppy_tcp", "1"));
  EXPECT_EQ(director->settings().value(), (std::vector<Setting>{{"sloppy_tcp", "1"}}));
  EXPECT_EQ(director->set_setting("secure_tcp", "4").error().errno_value, EINVAL);
  const model::MarkRule rule{.mark = 5};
  ASSERT_TRUE(director->add_mark_rule(rule));
  EXPECT_EQ(director->mark_rules().value(), std::vector{rule});
  ASSERT_TRUE(director->delete_mark_rule(rule));
  EXPECT_TRUE(director->mark_rules().value().empty());
  ASSERT_TRUE(director->add_local_address(rs1.endpoint.address));
  EXPECT_EQ(director->local_addresses().value(), std::vector{rs1.endpoint.address});
  ASSERT_TRUE(director->delete_local_address(rs1.endpoint.address));
  EXPECT_TRUE(director->local_addresses().value().empty());

  ASSERT_TRUE(director->delete_server(web, rs1.endpoint));
  EXPECT_TRUE(director->service(web)->servers.empty());
  ASSERT_TRUE(director->delete_service(web));
  ASSERT_TRUE(director->add_service(web_service()));
  ASSERT_TRUE(director->flush());
  EXPECT_TRUE(director->services()->empty());
}

TEST_F(ServerTest, errors_come_with_code_sentence_and_errno) {
  start();
  const auto director = client();
  const auto refused = director->delete_service(web);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::not_found);
  EXPECT_EQ(refused.error().message, "no such service");
  EXPECT_EQ(refused.error().errno_value, ESRCH);
  EXPECT_EQ(director->zero(std::nullopt).error().code, ErrorCode::unsupported);
  EXPECT_TRUE(director->add_service(web_service())) << "an error of the director does not end the connection";
}

TEST_F(ServerTest, lists_connections_in_order_across_chunks) {
  director_.connections_ = 1000;
  start();
  const auto director = client();
  std::uint32_t next = 0;
  const auto listed = director->connections([&](const ConnectionView& view) { EXPECT_EQ(view.expires_s, next++); });
  ASSERT_TRUE(listed) << listed.error().message;
  EXPECT_EQ(next, 1000U);
  EXPECT_TRUE(director->info()) << "the connection serves on after a listing";
}

TEST_F(ServerTest, a_reader_that_sleeps_in_a_listing_holds_up_nobody) {
  director_.connections_ = 200000;  // far more than a socket buffers
  start();
  const int sleeper = raw_client();
  say(sleeper, framed(encode_request(ListConnections{})));
  hear(sleeper);
  auto other = std::async(std::launch::async, [this] { return client()->info().has_value(); });
  EXPECT_EQ(other.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  close(sleeper);
}

TEST_F(ServerTest, garbage_is_answered_with_an_error_and_the_connection_goes_on) {
  start();
  const int fd = raw_client();
  say(fd, framed("GET / HTTP/1.1"));
  const Reply reply = hear(fd);
  ASSERT_TRUE(std::holds_alternative<Error>(reply));
  EXPECT_EQ(std::get<Error>(reply).code, ErrorCode::protocol);
  say(fd, framed(encode_request(GetInfo{})));
  EXPECT_TRUE(std::holds_alternative<Info>(hear(fd)));
  close(fd);
}

TEST_F(ServerTest, request_as_long_as_the_limit_is_read_one_byte_more_ends_the_connection) {
  start();
  const int fd = raw_client();
  say(fd, framed(std::string(request_bytes_max, 'x')));
  EXPECT_THAT(std::get<Error>(hear(fd)).message, HasSubstr("not JSON"));
  const FrameHeader header = frame_header(request_bytes_max + 1);
  say(fd, std::string(header.begin(), header.end()));
  EXPECT_THAT(std::get<Error>(hear(fd)).message, HasSubstr("the limit is 65536"));
  char byte = 0;
  EXPECT_EQ(::recv(fd, &byte, 1, 0), 0);
  close(fd);
}

TEST_F(ServerTest, half_a_request_harms_nobody) {
  start();
  const std::string whole = framed(encode_request(Flush{}));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const int fd = raw_client();
    say(fd, whole.substr(0, length));
    close(fd);
  }
  EXPECT_TRUE(client()->info());
}

TEST_F(ServerTest, one_client_too_many_is_told_so) {
  start();
  std::vector<int> clients;
  for (std::size_t i = 0; i < clients_max; ++i) {
    clients.push_back(raw_client());
    say(clients.back(), framed(encode_request(GetInfo{})));
    ASSERT_TRUE(std::holds_alternative<Info>(hear(clients.back())));
  }
  const int surplus = raw_client();
  const Reply refusal = hear(surplus);
  ASSERT_TRUE(std::holds_alternative<Error>(refusal));
  EXPECT_EQ(std::get<Error>(refusal).code, ErrorCode::busy);
  close(surplus);
  for (const int fd : clients) close(fd);
}

TEST_F(ServerTest, socket_is_for_owner_and_group_only) {
  start();
  struct stat status{};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0660U);
}

TEST_F(ServerTest, unknown_group_is_refused) {
  const auto refused = Server::listen(io_, director_, {.path = path_, .group = "no-such-group-here"});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("no-such-group-here"));
}

TEST_F(ServerTest, replaces_a_socket_file_that_a_dead_daemon_left) {
  start();
  std::filesystem::rename(path_, directory_ + "/left");
  stop();
  std::filesystem::rename(directory_ + "/left", path_);
  io_.restart();
  start();
  EXPECT_TRUE(client()->info());
}

TEST_F(ServerTest, client_says_where_it_looked_and_how_to_start_the_daemon) {
  const auto connected = connect(path_);
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, ErrorCode::unavailable);
  EXPECT_EQ(connected.error().message, "no penstockd in this network namespace: connecting to " + path_ +
                                           ": No such file or directory; start it with: penstockd");
}

TEST_F(ServerTest, nobody_listens_once_the_server_is_gone) {
  start();
  ASSERT_TRUE(client()->info());
  stop();
  EXPECT_FALSE(connect(path_));
}

}  // namespace
}  // namespace penstock::api
