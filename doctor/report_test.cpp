#include "doctor/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "doctor/facts_test_world.hpp"

namespace penstock::doctor {
namespace {

const Finding missing{.fault = Fault::vip_missing,
                      .what = "172.16.0.40 is no address of this real server, which drops requests to it.",
                      .mend = "Add it to lo:",
                      .commands = {"ip address add 172.16.0.40/32 dev lo"}};

TEST(Report, says_what_and_how_to_mend_it) {
  EXPECT_EQ(report_text(direct_server(), {missing}),
            "error: vip-missing\n"
            "  172.16.0.40 is no address of this real server, which drops requests to it.\n"
            "  Add it to lo:\n"
            "    ip address add 172.16.0.40/32 dev lo\n"
            "\n"
            "1 error, 0 warnings (real server of direct, virtual 172.16.0.40, fd00:ac10::40).\n");
}

TEST(Report, says_on_what_nothing_was_found) {
  EXPECT_EQ(report_text(nat_director(), {}), "Nothing found (director, 1 service, 1 real server).\n");
  EXPECT_EQ(report_text(nat_server(), {}), "Nothing found (real server of nat).\n");
}

TEST(Report, lines_end_at_80_columns) {
  Finding finding = missing;
  finding.what = std::string(78, 'x') + " " + std::string(39, 'y') + " " + std::string(38, 'z') + " …" +
                 std::string(39, 'w') + " " + std::string(37, 'v');
  std::istringstream text(report_text(direct_server(), {finding}));
  std::string line;
  std::getline(text, line);
  std::getline(text, line);
  EXPECT_EQ(line, "  " + std::string(78, 'x'));
  std::getline(text, line);
  EXPECT_EQ(line, "  " + std::string(39, 'y') + " " + std::string(38, 'z'));
  std::getline(text, line);
  EXPECT_EQ(line, "  …" + std::string(39, 'w') + " " + std::string(37, 'v'));  // 80 columns, 82 bytes
}

TEST(Report, json_has_ids_and_commands) {
  const auto json = nlohmann::json::parse(report_json(direct_server(), {missing}));
  EXPECT_EQ(json["role"], "realserver");
  ASSERT_EQ(json["findings"].size(), 1U);
  EXPECT_EQ(json["findings"][0]["id"], "vip-missing");
  EXPECT_EQ(json["findings"][0]["severity"], "error");
  EXPECT_EQ(json["findings"][0]["commands"][0], "ip address add 172.16.0.40/32 dev lo");
}

TEST(Report, json_stands_on_one_line) {
  const std::string json = report_json(direct_director(), {missing, missing});
  EXPECT_EQ(json.find('\n'), json.size() - 1);
}

// `penstock doctor --reference >docs/doctor.md` puts it right.
TEST(Reference, is_the_page_in_docs) {
  std::ifstream file(PENSTOCK_SOURCE_DIR "/docs/doctor.md");
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_EQ(page.str(), reference_page());
}

}  // namespace
}  // namespace penstock::doctor
