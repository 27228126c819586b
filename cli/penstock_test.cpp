#include "cli/penstock.hpp"

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

Said say(std::vector<std::string> args, const std::function<Result<api::Director*>()>& director) {
  args.insert(args.begin(), "penstock");
  std::ostringstream out;
  std::ostringstream err;
  const int exit_code = run_penstock(args, out, err, director);
  return {exit_code, out.str(), err.str()};
}

FakeDirector busy_director() {
  FakeDirector director;
  director.views.resize(2);
  director.views[0].servers.resize(2);
  director.views[0].servers[0].active = 3;
  director.views[0].servers[1].inactive = 4;
  return director;
}

TEST(Penstock, shows_a_director_to_people_and_programs) {
  FakeDirector director = busy_director();
  const auto source = [&]() -> Result<api::Director*> { return &director; };
  EXPECT_EQ(say({"status"}, source).out,
            "services      2 with 2 real servers\n"
            "connections   3 active, 4 inactive; room for 1048576\n"
            "interfaces    eth0 (native), eth1 (tc)\n"
            "not forwarded pass_icmp                 12\n"
            "              no_destination             3\n"
            "forwarded but stateless                  7\n");
  EXPECT_EQ(say({"status", "--json"}, source).out,
            R"({"services":2,"real_servers":2,"connections":{"active":3,"inactive":4,"max":1048576},)"
            R"("interfaces":{"eth0":"native","eth1":"tc"},)"
            R"("reasons":{"pass_icmp":12,"no_destination":3,"bug":0,"stateless":7}})"
            "\n");
}

TEST(Penstock, fails_without_a_director) {
  const auto source = []() -> Result<api::Director*> { return fail(ErrorCode::unavailable, "no penstockd here"); };
  const Said said = say({"status"}, source);
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_EQ(said.out, "");
  EXPECT_EQ(said.err, "penstock: no penstockd here\n");
}

TEST(Penstock, names_what_it_does_not_understand) {
  FakeDirector director;
  const auto source = [&]() -> Result<api::Director*> { return &director; };
  EXPECT_EQ(say({}, source).exit_code, 2);
  const Said command = say({"statsu"}, source);
  EXPECT_EQ(command.exit_code, 2);
  EXPECT_TRUE(command.err.starts_with("penstock: unknown command statsu\n\nusage: penstock COMMAND\n")) << command.err;
  EXPECT_TRUE(say({"status", "--jsn"}, source).err.starts_with("penstock: status: unknown argument --jsn\n"));
  EXPECT_EQ(say({"version", "x"}, source).exit_code, 2);
}

TEST(Penstock, says_its_release) {
  const auto source = []() -> Result<api::Director*> { return fail(ErrorCode::unavailable, "not needed"); };
  const Said said = say({"version"}, source);
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_TRUE(said.out.starts_with("penstock "));
}

}  // namespace
}  // namespace penstock::cli
