// The verifier's word on the data plane: on the kernel that runs the tests, and on 6.1, the oldest that is supported, as a
// process (user-mode-linux). That one has no efficient unaligned access, so it is the stricter of the two; it has no BTF of its own,
// so it judges the steps one by one.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

namespace penstock {
namespace {

struct Output {
  int status;
  std::string text;
};

Output run(const std::string& command) {
  Output output{-1, {}};
  FILE* pipe = popen((command + " 2>&1 </dev/null").c_str(), "r");
  if (!pipe) return output;
  std::array<char, 4096> chunk;
  while (const std::size_t length = std::fread(chunk.data(), 1, chunk.size(), pipe))
    output.text.append(chunk.data(), length);
  output.status = pclose(pipe);
  return output;
}

const std::string verifier_report = PENSTOCK_BIN_DIR "/verifier_report";

TEST(Verifier, accepts_the_programs_on_this_kernel_with_btf) {
  if (geteuid() != 0) GTEST_SKIP() << "loading BPF programs needs root";
  const Output output = run(verifier_report);
  EXPECT_EQ(output.status, 0) << output.text;
  EXPECT_NE(output.text.find("\naccepted\n"), std::string::npos) << output.text;
}

TEST(Verifier, accepts_the_programs_on_linux_6_1_with_btf) {
  if (!std::filesystem::exists("/usr/bin/linux.uml")) GTEST_SKIP() << "user-mode-linux is not installed";
  if (geteuid() != 0) GTEST_SKIP() << "a guest on this machine's root file system needs root";
  const Output output = run(
      "timeout 120 /usr/bin/linux.uml mem=512M rootfstype=hostfs rootflags=/ ro con=null con0=null,fd:1 quiet init=" +
      verifier_report);
  if (output.text.find("kernel 6.1.") == std::string::npos)
    GTEST_SKIP() << "user-mode-linux is no 6.1 here:\n" << output.text;
  EXPECT_NE(output.text.find("accepted"), std::string::npos) << output.text;
  EXPECT_EQ(output.text.find("btf 0,"), std::string::npos) << output.text;
}

}  // namespace
}  // namespace penstock
