// What ipvsadm has no recording of: a director that is not there, and what Penstock refuses.
#include "cli/ipvsadm.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/ipvsadm_fake_director.hpp"

namespace penstock::cli {
namespace {

struct Said {
  int exit_code;
  std::string out;
  std::string err;
};

Said say(const std::vector<std::string>& words, const DirectorSource& source, const std::string& input = "") {
  std::vector<std::string> args = {"ipvsadm"};
  args.insert(args.end(), words.begin(), words.end());
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  const FakeNames names;
  const int exit_code = run_ipvsadm(args, in, out, err, source, names);
  return {exit_code, out.str(), err.str()};
}

DirectorSource source_of(FakeDirector& director) {
  return [&]() -> Result<api::Director*> { return &director; };
}

Result<api::Director*> no_director() {
  return fail(ErrorCode::unavailable, "no penstockd here: connecting to /run/x: start it with: penstockd", ENOENT);
}

TEST(Ipvsadm, needs_no_director_to_help_or_to_complain) {
  EXPECT_EQ(say({"-h"}, no_director).exit_code, 0);
  EXPECT_TRUE(say({"-h"}, no_director)
                  .out.starts_with("ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)\n"
                                   "Usage:\n  ipvsadm -A|E virtual-service "));
  EXPECT_EQ(say({"-v"}, no_director).exit_code, 0);
  EXPECT_EQ(say({"-A"}, no_director).exit_code, 2);
  EXPECT_EQ(say({"-A", "-t", "1.1.1.1:80", "-w"}, no_director).err, "-w: missing argument\n");
}

TEST(Ipvsadm, says_that_no_director_is_there) {
  const std::string complaint = "no penstockd here: connecting to /run/x: start it with: penstockd\n";
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{}, {"-Ln"}, {"-C"}, {"-S"}, {"-Lc"}, {"-Z"}, {"--set", "1", "2", "3"}}) {
    const Said said = say(words, no_director);
    EXPECT_EQ(said.exit_code, 255);
    EXPECT_EQ(said.err, complaint);
    EXPECT_EQ(said.out, "");
  }
  EXPECT_EQ(say({"-R"}, no_director, "-C\n-C\n").err, complaint);  // said once, not for each line
}

TEST(Ipvsadm, says_what_penstock_does_not_have_and_fails) {
  FakeDirector director;
  director.refusal = Error{ErrorCode::unsupported, "adding tcp 1.1.1.1:80: not available yet", EOPNOTSUPP};
  const Said said = say({"-A", "-t", "1.1.1.1:80"}, source_of(director));
  EXPECT_EQ(said.exit_code, 255);
  EXPECT_EQ(said.err, "adding tcp 1.1.1.1:80: not available yet\n");
}

TEST(Ipvsadm, has_no_synchronisation_daemon) {
  FakeDirector director;
  const Said start = say({"--start-daemon", "master", "--mcast-interface", "eth0"}, source_of(director));
  EXPECT_EQ(start.exit_code, 255);
  EXPECT_NE(start.err.find("synchronisation daemon is not available"), std::string::npos);
  const Said stop = say({"--stop-daemon", "backup"}, source_of(director));
  EXPECT_EQ(stop.exit_code, 255);
  EXPECT_EQ(stop.err, "No daemon is running\n");
  EXPECT_EQ(say({"-L", "--daemon"}, source_of(director)).out, "");
}

TEST(Ipvsadm, restore_goes_on_after_what_penstock_does_not_have_but_never_ends_well) {
  FakeDirector director;
  const Said said =
      say({"-R"}, source_of(director), "--start-daemon master\n-A -t 1.1.1.1:80\n-a -t 1.1.1.1:80 -r 2.2.2.2\n");
  EXPECT_EQ(said.exit_code, 255);
  ASSERT_EQ(director.views.size(), 1U);
  EXPECT_EQ(director.views[0].servers.size(), 1U);
}

TEST(Ipvsadm, what_save_writes_restore_reads) {
  const std::string rules =
      "-A -t 10.1.0.100:80 -s wrr\n"
      "-a -t 10.1.0.100:80 -r 10.2.0.11:8080 -m -w 3\n"
      "-a -t 10.1.0.100:80 -r 10.2.0.12:80 -g -w 2\n"
      "-a -t 10.1.0.100:80 -r 10.2.0.13:8080 --fullnat -w 2\n"
      "-A -u 10.1.0.100:53 -s rr -o\n"
      "-a -u 10.1.0.100:53 -r 10.2.0.13:53 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum\n"
      "-A --sctp-service 10.1.0.100:5000 -s mh -p 60 -M 255.255.255.0 -b mh-port\n"
      "-A -t [fd00:1::100]:443 -s sh -p 7 -M 64 -b sh-fallback,sh-port\n"
      "-a -t [fd00:1::100]:443 -r [fd00:2::11]:443 -g -w 1\n"
      "-a -t [fd00:1::100]:443 -r 10.2.0.11:443 --fullnat -w 1\n"
      "-A -f 5 -s lc -p 50 -M 255.255.0.0\n"
      "-a -f 5 -r 10.2.0.11:0 -g -w 1\n"
      "-a -f 5 -r 10.2.0.12:8080 -m -w 1\n"
      "-A -f 6 -6 -s lc\n";
  FakeDirector director;
  EXPECT_EQ(say({"-R"}, source_of(director), rules).exit_code, 0);
  EXPECT_EQ(say({"-S", "-n"}, source_of(director)).out, rules);
}

TEST(Ipvsadm, lists_fullnat_with_its_port) {
  FakeDirector director;
  ASSERT_EQ(say({"-A", "-t", "10.1.0.100:80"}, source_of(director)).exit_code, 0);
  ASSERT_EQ(say({"-a", "-t", "10.1.0.100:80", "-r", "10.2.0.11:8080", "--fullnat"}, source_of(director)).err, "");
  EXPECT_EQ(say({"-Ln", "-t", "10.1.0.100:80"}, source_of(director)).out,
            "Prot LocalAddress:Port Scheduler Flags\n"
            "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
            "TCP  10.1.0.100:80 wlc\n"
            "  -> 10.2.0.11:8080               FullNat 1      0          0         \n");
  EXPECT_EQ(say({"-a", "-t", "10.1.0.100:80", "-r", "10.2.0.11", "-m", "--fullnat"}, source_of(director)).err,
            "multiple 'forwarding-method' options specified\n");
  EXPECT_EQ(say({"-a", "-t", "10.1.0.100:80", "-r", "10.2.0.11", "--fullnat", "--tun-csum"}, source_of(director)).err,
            "Tunnel options conflict with forward method\n");
}

TEST(Ipvsadm, says_penstocks_own_rules_in_penstocks_words) {
  FakeDirector director;
  director.refusal = Error{ErrorCode::invalid_argument, "adding server x: fullnat needs a local IPv4 address", 0};
  const Said said = say({"-a", "-t", "1.1.1.1:80", "-r", "2.2.2.2", "--fullnat"}, source_of(director));
  EXPECT_EQ(said.exit_code, 255);
  EXPECT_EQ(said.err, "adding server x: fullnat needs a local IPv4 address\n");
  EXPECT_EQ(say({"-R"}, source_of(director), "-C\n-L\n").exit_code, 255) << "a rule lost is never a success";
}

TEST(Ipvsadm, zeroes_one_service_or_all) {
  FakeDirector director;
  EXPECT_EQ(say({"-Z"}, source_of(director)).exit_code, 0);
  EXPECT_EQ(say({"-Z", "-t", "1.1.1.1:80"}, source_of(director)).err, "No such service\n");
  EXPECT_EQ(director.zeroed, 1);
}

TEST(Ipvsadm, refuses_flags_of_commas_alone) {
  FakeDirector director;
  const Said said = say({"-A", "-t", "1.1.1.1:80", "-b", ","}, source_of(director));
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_EQ(said.err, "invalid scheduler flag `,'\n");
}

TEST(Ipvsadm, survives_an_empty_argument_list) {
  FakeDirector director;
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(run_ipvsadm({}, in, out, err, director), 0);
}

}  // namespace
}  // namespace penstock::cli
