#include "tests/golden/shell.hpp"

#include <gtest/gtest.h>

namespace penstock::golden {
namespace {

class MemoryFiles final : public Files {
 public:
  Result<std::string> read(const std::string& path) override {
    const auto file = texts.find(path);
    if (file == texts.end()) return fail(ErrorCode::unsupported, "reading " + path);
    return file->second;
  }
  Result<void> write(const std::string& path, const std::string& text) override {
    if (path.starts_with("/strict/") && text != "1\n") return fail(ErrorCode::invalid_argument, path);
    texts[path] = text;
    return {};
  }
  std::vector<std::string> list(const std::string& folder) override {
    std::vector<std::string> names;
    for (const auto& [path, text] : texts) {
      if (path.starts_with(folder + "/")) names.push_back(path.substr(folder.size() + 1));
    }
    return names;
  }

  std::map<std::string, std::string> texts = {{"/f/one", "1\n"}, {"/f/two", "2\t22\n"}};
};

class ShellTest : public testing::Test {
 protected:
  // "ipvsadm" prints its arguments and what it reads; with "fail" it fails.
  Result<StepResult> run(const std::string& line, const std::string& input = "") {
    return run_shell(line, input, files_, [](const std::vector<std::string>& words, const std::string& given) {
      StepResult result;
      for (std::size_t i = 1; i < words.size(); ++i) result.output += "<" + words[i] + ">";
      result.output += given + "\n";
      if (words.size() > 1 && words[1] == "fail") result = {.status = 3, .error = "no\n"};
      return Result<StepResult>(result);
    });
  }

  std::string output(const std::string& line) {
    const auto result = run(line);
    EXPECT_TRUE(result) << line << ": " << (result ? "" : result.error().message);
    return result ? result->output : "";
  }

  MemoryFiles files_;
};

TEST_F(ShellTest, one_program_gets_its_words_and_its_input) {
  EXPECT_EQ(run("ipvsadm -A -t [fd00:1::100]:80  -s rr", "in")->output, "<-A><-t><[fd00:1::100]:80><-s><rr>in\n");
  EXPECT_EQ(run("ipvsadm fail")->status, 3);
  EXPECT_EQ(run("ipvsadm fail")->error, "no\n");
}

TEST_F(ShellTest, quotes_keep_words_together) { EXPECT_EQ(output("ipvsadm 'a  b' \"c d\"e ';'"), "<a  b><c de><;>\n"); }

TEST_F(ShellTest, lists_go_on_by_status) {
  EXPECT_EQ(output("echo; echo a; ipvsadm fail; echo rc=$?"), "\na\nrc=3\n");
  EXPECT_EQ(output("ipvsadm fail && echo no; ipvsadm x && echo yes"), "<x>\nyes\n");
  EXPECT_EQ(output("ipvsadm fail || echo or; ipvsadm x || echo not"), "or\n<x>\n");
}

TEST_F(ShellTest, pipes_and_files_carry_text) {
  EXPECT_EQ(output("ipvsadm -S | ipvsadm -R"), "<-R><-S>\n\n");
  EXPECT_EQ(output("ipvsadm -S > /tmp/save; ipvsadm -R < /tmp/save; cat /tmp/save"), "<-R><-S>\n\n<-S>\n");
  EXPECT_EQ(output("ipvsadm -S > /tmp/save; ipvsadm -S | diff - /tmp/save && echo same"), "same\n");
  EXPECT_EQ(run("echo a > /tmp/a; echo b > /tmp/b; diff /tmp/a /tmp/b")->status, 1);
}

TEST_F(ShellTest, loops_over_files_and_reads_them) {
  EXPECT_EQ(output("cd /f; for f in *; do echo $f: $(cat $f); done; echo end"), "one: 1\ntwo: 2 22\nend\n");
  EXPECT_EQ(output("cd /f; echo \"$(cat two)\""), "2\t22\n");
}

TEST_F(ShellTest, a_file_that_refuses_is_an_input_output_error) {
  const auto result = run("cd /strict; echo 2 > x; echo rc=$?; echo 1 > x; echo rc=$?");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->output, "rc=1\nrc=0\n");
  EXPECT_EQ(result->error, "/bin/sh: 1: echo: echo: I/O error\n");
}

TEST_F(ShellTest, what_it_does_not_know_is_unsupported) {
  for (const char* line :
       {"reboot", "cat /none", "echo `date`", "echo 'open", "echo $(cat x", "for x in", "echo >", "cd"}) {
    const auto result = run(line);
    ASSERT_FALSE(result) << line;
    EXPECT_EQ(result.error().code, ErrorCode::unsupported) << line;
  }
}

}  // namespace
}  // namespace penstock::golden
