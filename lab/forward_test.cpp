#include "lab/forward.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>

#include "lab/lab_fixture.hpp"
#include "lab/wait_until.hpp"

namespace penstock::lab {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// In the machine's own network namespace.
std::string curl(const std::string& url, const std::string& options = "") {
  const auto outcome = run({.argv = {"/bin/sh", "-c", fmt::format("curl -s --max-time 5 {} {}", options, url)},
                            .environment = tool_environment(),
                            .input = ""});
  return outcome ? fmt::format("{} {}", outcome->exit_status, outcome->output) : outcome.error().message;
}

std::uint16_t port_of(const std::string& url) {
  std::uint16_t port = 0;
  std::from_chars(url.data() + url.rfind(':') + 1, url.data() + url.size(), port);
  return port;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

FileDescriptor connect_to(std::uint16_t port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) socket.reset();
  return socket;
}

// A port that is taken as long as the descriptor lives.
std::pair<FileDescriptor, std::uint16_t> taken_port() {
  FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(listen(listener.get(), 1), 0);
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return {std::move(listener), ntohs(address.sin_port)};
}

class Forwarded : public LabTest {
 protected:
  // A client that leads to a server of its own network, which this machine has no way to.
  Result<UpReport> bring_up_with(const std::string& forwards) {
    return bring_up(file_of(R"(
network n 192.0.2.0/24 2001:db8::/64
host client
  role client
  link n 192.0.2.10 2001:db8::10
)" + forwards + R"(
host rs
  role realserver
  link n 192.0.2.32 2001:db8::32
  page Hello
  bulk 8M
)"));
  }
};

TEST_F(Forwarded, a_port_of_this_machine_leads_into_the_lab_and_ends_with_it) {
  const auto report = bring_up_with("forward 0 192.0.2.32:80");
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->urls.size(), 1U) << testing::PrintToString(report->notes);
  const std::string url = report->urls[0];
  EXPECT_EQ(curl(url), "0 Hello\n");
  EXPECT_EQ(curl(url + "bulk", "-o /dev/null -w '%{size_download}'"), "0 8388608");
  EXPECT_THAT(curl("http://192.0.2.32/", "--connect-timeout 1"), Not(HasSubstr("Hello")));
  EXPECT_THAT(status(name_).urls, ElementsAre(url));
  const auto processes = processes_of(status(name_));
  ASSERT_TRUE(down(name_));
  EXPECT_TRUE(none_is_alive(processes));
  EXPECT_FALSE(connect_to(port_of(url)));
}

TEST_F(Forwarded, it_ends_with_a_killed_supervisor) {
  const auto report = bring_up_with("forward 0 192.0.2.32:80");
  ASSERT_TRUE(report) << report.error().message;
  const std::uint16_t port = port_of(report->urls.at(0));
  ASSERT_TRUE(connect_to(port));
  kill_supervisor();
  EXPECT_TRUE(wait_until(in(5s), [&] { return !connect_to(port); }));
}

TEST_F(Forwarded, by_ipv6_as_well_and_under_the_url_that_the_topology_says) {
  if (!fs::exists("/proc/sys/net/ipv6")) GTEST_SKIP() << "SKIPPED: this kernel has no IPv6";
  const auto report = bring_up_with("forward 0 [2001:db8::32]:80\n forward 0 192.0.2.32:80 https://localhost/x");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(curl(report->urls.at(0)), "0 Hello\n");
  EXPECT_EQ(report->urls.at(1), "https://localhost/x");
}

TEST_F(Forwarded, a_port_that_is_taken_is_a_note) {
  const auto [listener, port] = taken_port();
  const auto report = bring_up_with(fmt::format("forward {} 192.0.2.32:80", port));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->urls, IsEmpty());
  EXPECT_THAT(report->notes, ElementsAre(AllOf(HasSubstr(fmt::format("127.0.0.1:{}", port)),
                                               HasSubstr("Address already in use"), HasSubstr("192.0.2.32:80"))));
}

TEST_F(Forwarded, a_server_that_refuses_closes_the_browsers_connection) {
  const auto report = bring_up_with("forward 0 192.0.2.32:81");
  ASSERT_TRUE(report) << report.error().message;
  const FileDescriptor browser = connect_to(port_of(report->urls.at(0)));
  char byte = 0;
  EXPECT_EQ(recv(browser.get(), &byte, 1, 0), 0);
}

TEST_F(Forwarded, what_the_browser_has_sent_is_answered_after_it_has_ended_sending) {
  const auto report = bring_up_with("forward 0 192.0.2.32:80");
  ASSERT_TRUE(report) << report.error().message;
  const FileDescriptor browser = connect_to(port_of(report->urls.at(0)));
  constexpr std::string_view request = "GET / HTTP/1.0\r\n\r\n";
  ASSERT_EQ(send(browser.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  shutdown(browser.get(), SHUT_WR);
  std::string answer;
  char buffer[4096];
  for (ssize_t size; (size = recv(browser.get(), buffer, sizeof buffer, 0)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(size));
  EXPECT_THAT(answer, HasSubstr("Hello\n"));
}

TEST_F(Forwarded, connections_above_the_bound_are_closed_and_below_it_taken_again) {
  const auto report = bring_up_with("forward 0 192.0.2.32:80");
  ASSERT_TRUE(report) << report.error().message;
  const std::uint16_t port = port_of(report->urls.at(0));
  std::vector<FileDescriptor> connections;
  for (std::size_t i = 0; i < forwarded_connections_max; ++i) connections.push_back(connect_to(port));
  char byte = 0;
  EXPECT_EQ(recv(connect_to(port).get(), &byte, 1, 0), 0);
  connections.pop_back();
  EXPECT_TRUE(wait_until(in(5s), [&] { return curl(report->urls[0]) == "0 Hello\n"; }));
}

}  // namespace
}  // namespace penstock::lab
