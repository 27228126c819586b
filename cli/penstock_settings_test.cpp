// `penstock mark`, `setting` and `local` as they are typed, and the settings as kernel IPVS was recorded to take them.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/ipvsadm_fake_director.hpp"
#include "cli/penstock.hpp"

namespace penstock::cli {
namespace {

struct Said {
  int exit_code;
  std::string out;
  std::string err;
};

class PenstockSettings : public testing::Test {
 protected:
  // The words of `line` are separated by blanks.
  Said say(const std::string& line) {
    std::istringstream stream("penstock " + line);
    std::vector<std::string> args;
    for (std::string word; stream >> word;) args.push_back(word);
    std::ostringstream out;
    std::ostringstream err;
    const int exit_code = run_penstock(args, out, err, [this]() -> Result<api::Director*> { return &director; });
    return {exit_code, out.str(), err.str()};
  }

  FakeDirector director;
};

TEST_F(PenstockSettings, marks_are_listed_as_they_are_typed) {
  const std::string lines[] = {
      "mark add 5 --protocol tcp --destination 203.0.113.0/24 --ports 80,443,8000:8080",
      "mark add 0 --protocol tcp --source 203.0.113.9 --source-ports 1024:65535",
      "mark add 4294967295",
      "mark add 6 --ipv6 --protocol sctp",
      "mark add 6 --source 2001:db8::/32",
  };
  EXPECT_EQ(say("mark list").out, "# no mark rules\n");
  std::string all;
  for (const std::string& line : lines) {
    const Said said = say(line);
    ASSERT_EQ(said.exit_code, 0) << said.err;
    EXPECT_EQ(said.out, "");
    all += "penstock " + line + "\n";
  }
  EXPECT_EQ(say("mark list").out, all);
  for (std::string line : lines) {
    line.replace(line.find("add"), 3, "del");
    EXPECT_EQ(say(line).exit_code, 0) << line;
  }
  EXPECT_EQ(say("mark list").out, "# no mark rules\n");
}

TEST_F(PenstockSettings, marks_are_read_in_any_order_and_in_hexadecimal) {
  ASSERT_EQ(say("mark add 0x1f --ports 53 --destination 203.0.113.77/24 --protocol udp").exit_code, 0);
  EXPECT_EQ(say("mark list").out, "penstock mark add 31 --protocol udp --destination 203.0.113.0/24 --ports 53\n");
}

struct Misunderstanding {
  const char* line;
  const char* complaint;
};

const Misunderstanding misunderstandings[] = {
    {"mark", "mark: add, del or list?"},
    {"mark remove 5", "mark: add, del or list?"},
    {"mark add", "mark add: which mark?"},
    {"mark add web", "mark add: \"web\" is not a mark: a number from 0 to 4294967295"},
    {"mark add 4294967296", "mark add: \"4294967296\" is not a mark: a number from 0 to 4294967295"},
    {"mark add 0x", "mark add: \"0x\" is not a mark: a number from 0 to 4294967295"},
    {"mark del 5 --port 80", "mark del: unknown argument --port"},
    {"mark add 5 --ports", "mark add: --ports needs a value"},
    {"mark add 5 --ports http", "mark add: --ports http: not ports such as 80,443,8000:8080"},
    {"mark add 5 --protocol icmp", "mark add: --protocol icmp: not tcp, udp or sctp"},
    {"mark add 5 --source host", "mark add: --source host: not an address or a block such as 203.0.113.0/24"},
    {"mark add 5 --ipv6 --source 10.0.0.0/8", "mark add: --ipv6 with the IPv4 address 10.0.0.0/8"},
    {"mark add 5 --source 10.0.0.1 --source 10.0.0.2", "mark add: --source is given twice"},
    {"mark list 5", "mark: add, del or list?"},
    {"local", "local: add, del or list?"},
    {"local add", "local add: one address is expected"},
    {"local del 10.0.0.1 10.0.0.2", "local del: one address is expected"},
    {"local add 10.0.0.0/24", "local add: \"10.0.0.0/24\" is not an address"},
    {"setting", "setting: list, get or set?"},
    {"setting get", "setting get: which NAME?"},
    {"setting set sloppy_tcp", "setting set: which NAME and VALUE?"},
    {"setting list sloppy_tcp", "setting list: unknown argument sloppy_tcp"},
};

TEST_F(PenstockSettings, says_what_it_did_not_understand_and_how_it_is_done) {
  for (const Misunderstanding& each : misunderstandings) {
    const Said said = say(each.line);
    EXPECT_EQ(said.exit_code, 2) << each.line;
    EXPECT_EQ(said.out, "") << each.line;
    const std::string command = std::string(each.line).substr(0, std::string(each.line).find(' '));
    EXPECT_TRUE(
        said.err.starts_with("penstock: " + std::string(each.complaint) + "\n\nusage: penstock " + command + " "))
        << each.line << ": " << said.err;
  }
}

TEST_F(PenstockSettings, the_directors_refusals_come_through) {
  EXPECT_EQ(say("mark add 5 --ports 80").err,
            "penstock: adding mark rule 5 --ports 80: ports need a protocol: tcp, udp or sctp\n");
  EXPECT_EQ(say("mark add 5 --source 10.0.0.0/8 --destination ::/0").exit_code, 1);
  EXPECT_EQ(say("local add 127.0.0.1").err,
            "penstock: adding local address 127.0.0.1: not an address that real servers could answer to\n");
  EXPECT_EQ(say("local del 10.0.0.1").err, "penstock: deleting local address 10.0.0.1: no such local address\n");
  EXPECT_EQ(say("setting set sloppy 1").err, "penstock: no setting is called \"sloppy\"\n");
  EXPECT_EQ(say("setting set secure_tcp 4").err,
            "penstock: setting secure_tcp to \"4\": a number from 0 to 3 is expected\n");
  EXPECT_EQ(say("setting get sloppy").err, "penstock: no setting is called \"sloppy\": see penstock setting list\n");
  EXPECT_EQ(say("setting get sloppy").exit_code, 1);
}

TEST_F(PenstockSettings, local_addresses_are_listed_in_the_order_in_which_they_came) {
  ASSERT_EQ(say("local add 10.0.0.251").exit_code, 0);
  ASSERT_EQ(say("local add 10.0.0.250").exit_code, 0);
  ASSERT_EQ(say("local add fd00::250").exit_code, 0);
  EXPECT_EQ(say("local list").out, "10.0.0.251\n10.0.0.250\nfd00::250\n");
  ASSERT_EQ(say("local del 10.0.0.251").exit_code, 0);
  EXPECT_EQ(say("local list").out, "10.0.0.250\nfd00::250\n");
}

TEST_F(PenstockSettings, settings_go_by_either_name) {
  ASSERT_EQ(say("setting set net.ipv4.vs.sloppy_tcp=1").exit_code, 0);
  EXPECT_EQ(say("setting get sloppy_tcp").out, "1\n");
  ASSERT_EQ(say("setting set sloppy_tcp 0").exit_code, 0);
  EXPECT_EQ(say("setting get net.ipv4.vs.sloppy_tcp").out, "0\n");
  ASSERT_EQ(say("setting set sync_threshold 5 60").exit_code, 0);
  const std::string listed = say("setting list").out;
  EXPECT_TRUE(
      listed.starts_with("NAME                       VALUE       DEFAULT  MEANING\n"
                         "am_droprate                10          10       drop_packet 3 drops "))
      << listed;
  EXPECT_NE(listed.find("\nsync_threshold             5 60        3 50     no effect"), std::string::npos) << listed;
}

TEST_F(PenstockSettings, each_command_explains_itself) {
  for (const char* command : {"mark", "setting", "local", "status"}) {
    const Said said = say(std::string(command) + " --help");
    EXPECT_EQ(said.exit_code, 0);
    EXPECT_TRUE(said.out.starts_with("usage: penstock " + std::string(command))) << said.out;
    EXPECT_EQ(said.err, "");
    EXPECT_NE(say("help").out.find("\n  " + std::string(command)), std::string::npos);
  }
}

// "echo 2 > secure_tcp; echo rc=$?; cat secure_tcp" as the name, the value and what the kernel said.
struct RecordedWrite {
  std::string name;
  std::string value;
  bool taken;
  std::string then;
};

RecordedWrite parse_write(const nlohmann::json& step) {
  const std::string line = step.at("cmd");
  const auto begin = line.find("vs; echo ") + 9;
  const auto redirect = line.find(" > ", begin);
  std::string value = line.substr(begin, redirect - begin);
  std::erase(value, '\'');
  const std::string out = step.at("stdout");  // "\nrc=0\n2\n"
  return {line.substr(redirect + 3, line.find(';', redirect) - redirect - 3), value, out.starts_with("\nrc=0\n"),
          out.substr(6)};
}

TEST_F(PenstockSettings, are_read_and_written_as_the_recorded_sysctls) {
  std::ifstream file(PENSTOCK_SOURCE_DIR "/tests/golden/recordings/cli-sysctl-p.json");
  const auto steps = nlohmann::json::parse(file).at("steps");
  std::istringstream defaults(steps.at(0).at("stdout").get<std::string>());
  std::size_t compared = 0;
  for (std::string line; std::getline(defaults, line);) {
    if (line.empty() || line.starts_with("sync_qlen_max")) continue;  // whose default is the machine's memory
    std::string value = say("setting get " + line.substr(0, line.find(':'))).out;
    std::ranges::replace(value, '\t', ' ');
    EXPECT_EQ(value, line.substr(line.find(' ') + 1) + "\n") << line;
    ++compared;
  }
  EXPECT_EQ(compared, 27U);
  for (std::size_t i = 1; i < steps.size(); ++i) {
    const RecordedWrite write = parse_write(steps.at(i));
    if (write.name == "sync_qlen_max") {
      EXPECT_EQ(say("setting set sync_qlen_max " + write.value).exit_code, 1);
      continue;
    }
    EXPECT_EQ(say("setting set " + write.name + " " + write.value).exit_code == 0, write.taken) << steps.at(i);
    EXPECT_EQ(say("setting get " + write.name).out, write.then) << steps.at(i);
  }
}

}  // namespace
}  // namespace penstock::cli
