// The fixture of tests that hold for forwarding methods: a lab with the method's topology, both real servers ready for exchanges.
// A method that the director refuses as not available yet skips its tests, with the director's own words.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <regex>
#include <string>

#include "tests/serving/cluster.hpp"
#include "tests/serving/method_case.hpp"

namespace penstock::serving {

// Ports of the service, and behind a method that maps ports.
struct ServicePort {
  const char* option;  // of ipvsadm
  unsigned service;
  unsigned mapped;
};

inline constexpr ServicePort http{"-t", 80, 8080};
inline constexpr ServicePort tcp{"-t", 9000, 9001};
inline constexpr ServicePort udp{"-u", 9000, 9001};
inline constexpr ServicePort isakmp{"-u", 500, 500};  // AH and ESP follow it
inline constexpr ServicePort sctp{"--sctp-service", 9000, 9001};

inline constexpr const char* not_available = "not available yet";

class MethodTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: a lab needs root";
    const auto up = cluster_.up(GetParam().method.topology);
    ASSERT_TRUE(up) << up.error().message;
    for (const char* server : {"rs1", "rs2"}) must(server, "exchange serve 9000 9001 500");
    for (const std::string& local : at_.locals) {
      director("penstock local add " + local);
      if (is_over()) return;
    }
    for (const ServicePort& port : {http, tcp, udp}) {
      add_service(port);
      if (is_over()) return;
    }
  }

  void TearDown() override {
    if (HasFailure()) GTEST_LOG_(INFO) << cluster_.log_of("director");
  }

  static bool is_over() { return IsSkipped() || HasFatalFailure(); }

  // Two servers behind one port of the VIP, by turns. `options` follow those of the service.
  void add_service(const ServicePort& port, const std::string& options = "") {
    const std::string service = std::string(port.option) + " " + endpoint(at_.vip, port.service);
    director("ipvsadm -A " + service + " -s rr " + options);
    for (const std::string& server : at_.servers) {
      if (is_over()) return;
      const unsigned server_port = GetParam().method.maps_ports ? port.mapped : port.service;
      director("ipvsadm -a " + service + " -r " + endpoint(server, server_port) + " " + GetParam().method.options);
    }
  }

  // A command for the director: what it does not have yet is a reason to skip, anything else that it refuses a failure.
  void director(const std::string& line) {
    const lab::Outcome outcome = cluster_.on("director", line);
    if (outcome.exit_status == 0) return;
    if (outcome.output.find(not_available) != std::string::npos) {
      GTEST_SKIP() << "SKIPPED: " << line << ": " << outcome.output;
    }
    GTEST_FAIL() << line << ": " << outcome.output;
  }

  std::string must(const std::string& host, const std::string& line) const {
    const lab::Outcome outcome = cluster_.on(host, line);
    EXPECT_EQ(outcome.exit_status, 0) << host << "$ " << line << "\n" << outcome.output;
    return outcome.output;
  }

  // `exchange` on the client, against the VIP; it compares all that goes either way.
  std::string exchange(const char* transport, std::uint64_t upload, std::uint64_t download) const {
    return must("client", std::string("exchange ") + transport + " " + at_.vip + " 9000 " + std::to_string(upload) +
                              " " + std::to_string(download));
  }

  // What a link to the servers carries, from now on. On both of its ends, as on a cable.
  void narrow_servers_link(unsigned mtu) const {
    const std::string tool = " mtu " + std::to_string(mtu);
    for (const char* server : {"rs1", "rs2"}) must(server, "ip link set dev eth0" + tool);
    must(GetParam().method.topology == "nat" ? "director" : "router", "ip link set dev eth1" + tool);
  }

  // What the client has learned about the path to the VIP; 0: nothing.
  unsigned path_mtu() const {
    const std::string route = must("client", "ip route get " + at_.vip);
    std::smatch found;
    return std::regex_search(route, found, std::regex(R"(mtu (\d+))")) ? static_cast<unsigned>(std::stoul(found[1]))
                                                                       : 0;
  }

  const Addresses at_ = addresses_of(GetParam());
  const Place place_{.programs = PENSTOCK_BIN_DIR, .topologies = std::string(PENSTOCK_SOURCE_DIR) + "/lab/topologies"};
  Cluster cluster_{place_, "serving-" + std::to_string(getpid())};
};

inline std::string name_of(const testing::TestParamInfo<Case>& info) { return to_string(info.param); }

}  // namespace penstock::serving
