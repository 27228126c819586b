// What a director owes its clients while its daemon dies, comes back and is replaced by another build: nothing lost. Real
// clients (wrk) and servers (nginx) in a lab of their own; the load runs across every event and must end without one failed
// request.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <regex>
#include <string>
#include <thread>

#include "lab/wait_until.hpp"

namespace penstock {
namespace {

using namespace std::chrono_literals;

struct Output {
  int status;
  std::string text;
};

Output finish(FILE* pipe) {
  Output output{-1, {}};
  std::array<char, 4096> chunk;
  while (const std::size_t length = std::fread(chunk.data(), 1, chunk.size(), pipe))
    output.text.append(chunk.data(), length);
  output.status = WEXITSTATUS(pclose(pipe));
  return output;
}

FILE* begin(const std::string& command) { return popen((command + " 2>&1 </dev/null").c_str(), "r"); }
Output run(const std::string& command) { return finish(begin(command)); }

std::string quoted(const std::string& script) { return "sh -c '" + script + "'"; }

class Serving : public testing::Test {
 protected:
  static constexpr const char* vip = "172.16.0.40";

  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the lab needs root";
    const Output up = run(lab_ + " up --bare");
    if (up.status != 0) GTEST_FAIL() << up.text;
    must("director", "ipvsadm -A -t 172.16.0.40:80 -s rr");
    must("director", "ipvsadm -a -t 172.16.0.40:80 -r 172.16.0.32 -g");
    must("director", "ipvsadm -a -t 172.16.0.40:80 -r 172.16.0.33 -g");
  }

  void TearDown() override {
    if (geteuid() == 0) run(lab_ + " down");
  }

  std::string exec(const std::string& host, const std::string& command) const {
    return lab_ + " exec " + host + " " + command;
  }
  Output in(const std::string& host, const std::string& command) const { return run(exec(host, command)); }

  std::string must(const std::string& host, const std::string& command) const {
    const Output output = in(host, command);
    EXPECT_EQ(output.status, 0) << host << "$ " << command << "\n" << output.text;
    return output.text;
  }

  // The number behind a service's or server's row of `ipvsadm -Ln --stats --exact`: connections are the first column.
  long connections_of(const std::string& row) const {
    const std::string table = must("director", "ipvsadm -Ln --stats --exact");
    const std::regex line(row + R"(\s+(\d+))");
    std::smatch found;
    return std::regex_search(table, found, line) ? std::stol(found[1]) : -1;
  }

  std::string program_id() const {
    const std::string link = must("director", "ip -d link show dev eth0");
    const std::regex id(R"(prog/xdp id (\d+))");
    std::smatch found;
    return std::regex_search(link, found, id) ? found[1].str() : "";
  }

  void kill_daemon() const { must("director", quoted("kill -9 $(pidof penstockd)")); }

  void wait_for_the_daemons_end() const {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (in("director", "pidof penstockd").status == 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::sleep_for(20ms);
    }
  }

  void start_daemon(const std::string& program) const {
    must("director", quoted("setsid " + program + " >/run/penstockd-again.log 2>&1 &"));
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (in("director", "ipvsadm -Ln").status != 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << in("director", "cat /run/penstockd-again.log").text;
      std::this_thread::sleep_for(20ms);
    }
  }

  // wrk from the client, until end_load_without_a_failure(), however long this machine takes for what comes between. It has begun
  // to be served when this returns; `options` of wrk open `connections` or more.
  void begin_load(const std::string& options, long connections) {
    const long before = connections_of("TCP  172.16.0.40:80");
    load_ = begin(exec("client", "wrk -t1 -d120s " + options + " http://172.16.0.40/"));
    ASSERT_TRUE(lab::wait_until(std::chrono::steady_clock::now() + 10s,
                                [&] { return connections_of("TCP  172.16.0.40:80") >= before + connections; }))
        << "wrk opened no " << connections << " connections";
  }

  // No request failed. wrk ends on SIGINT with its report, and says nothing of errors when there were none.
  void end_load_without_a_failure() const {
    must("client", quoted("kill -INT $(pidof wrk)"));
    const Output load = finish(load_);
    EXPECT_EQ(load.status, 0) << load.text;
    EXPECT_EQ(load.text.find("Socket errors"), std::string::npos) << load.text;
    EXPECT_EQ(load.text.find("Non-2xx"), std::string::npos) << load.text;
    EXPECT_NE(load.text.find("requests in"), std::string::npos) << load.text;
  }

  FILE* load_ = nullptr;
  const std::string bin_ = PENSTOCK_BIN_DIR;
  const std::string lab_ = bin_ + "/penstock-lab --name serving-" + std::to_string(getpid());
};

TEST_F(Serving, requests_reach_both_servers_in_turn_and_replies_bypass_the_director) {
  std::string answers;
  for (int i = 0; i < 4; ++i) answers += must("client", "curl -s --max-time 5 http://172.16.0.40/");
  const std::regex rs1("rs1"), rs2("rs2");
  EXPECT_EQ(std::distance(std::sregex_iterator(answers.begin(), answers.end(), rs1), {}), 2) << answers;
  EXPECT_EQ(std::distance(std::sregex_iterator(answers.begin(), answers.end(), rs2), {}), 2) << answers;
  EXPECT_EQ(connections_of("TCP  172.16.0.40:80"), 4);
}

TEST_F(Serving, no_request_fails_while_the_daemon_is_killed_and_comes_back) {
  must("client", "curl -s --max-time 5 http://172.16.0.40/");
  begin_load("-c32", 32);
  const long before = connections_of("TCP  172.16.0.40:80");
  const std::string program = program_id();
  EXPECT_GE(before, 33);
  kill_daemon();
  const Output refused = in("director", "ipvsadm -Ln");
  EXPECT_EQ(refused.status, 255) << refused.text;
  EXPECT_NE(refused.text.find("penstockd"), std::string::npos) << refused.text;
  std::this_thread::sleep_for(1s);  // the load's own time, not a wait for anything
  start_daemon("penstockd");
  EXPECT_NE(program_id(), program) << "the new daemon did not replace the program";
  EXPECT_GE(connections_of("TCP  172.16.0.40:80"), before);
  const std::string list = must("director", "ipvsadm -Lnc");
  EXPECT_NE(list.find("ESTABLISHED"), std::string::npos) << list;
  end_load_without_a_failure();
}

TEST_F(Serving, no_request_fails_while_new_connections_meet_a_restart) {
  // Each request is a connection of its own. wrk drops a header that has no space behind its colon.
  begin_load("-c8 -H 'Connection: close'", 1000);
  kill_daemon();
  std::this_thread::sleep_for(500ms);  // the load's own time
  start_daemon("penstockd");
  const long before = connections_of("TCP  172.16.0.40:80");
  std::this_thread::sleep_for(1s);
  EXPECT_GT(connections_of("TCP  172.16.0.40:80"), before);
  end_load_without_a_failure();
}

TEST_F(Serving, another_build_of_the_daemon_takes_over_without_a_gap) {
  const std::string other = bin_ + "/penstockd.other";
  std::filesystem::copy_file(bin_ + "/penstockd", other, std::filesystem::copy_options::overwrite_existing);
  begin_load("-c32", 32);
  const std::string program = program_id();
  must("director", quoted("kill $(pidof penstockd)"));  // the polite end
  wait_for_the_daemons_end();                           // two of them refuse to run in one network namespace
  start_daemon(other);
  EXPECT_NE(program_id(), program);
  end_load_without_a_failure();
  std::filesystem::remove(other);
}

TEST_F(Serving, a_server_that_moves_to_another_mac_address_is_found_again) {
  must("rs1", "ip link set dev eth0 address 02:00:5e:00:53:01");
  const auto deadline = std::chrono::steady_clock::now() + 15s;
  int answered = 0;
  while (answered < 4 && std::chrono::steady_clock::now() < deadline) {
    // Asking for the client's address is heard by everybody; the kernel believes a new one after its arp locktime, a second.
    must("rs1", "ip neigh flush dev eth0");
    in("rs1", "curl -s --max-time 1 http://172.16.0.10/");
    const Output answer = in("client", "curl -s --max-time 1 http://172.16.0.40/");
    answered = answer.status == 0 ? answered + 1 : 0;
  }
  EXPECT_EQ(answered, 4) << must("director", "ip neigh");
}

TEST_F(Serving, a_link_that_goes_down_and_comes_back_serves_again) {
  must("director", "ip link set dev eth0 down");
  must("director", "ip link set dev eth0 up");
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  int answered = 0;
  while (answered < 4 && std::chrono::steady_clock::now() < deadline) {
    const Output answer = in("client", "curl -s --max-time 1 http://172.16.0.40/");
    answered = answer.status == 0 ? answered + 1 : 0;
  }
  EXPECT_EQ(answered, 4);
}

}  // namespace
}  // namespace penstock
