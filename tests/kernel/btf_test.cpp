// libbpf silently drops type information that the kernel refuses, and loads the program without it.
#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include "control/loader.hpp"
#include "datapath/native/native_tables.hpp"

namespace penstock {
namespace {

TEST(Btf, every_loaded_program_has_it) {
  const auto cpus = control::counter_rows();
  ASSERT_TRUE(cpus) << cpus.error().message;
  Config config = small_config();
  config.cpus = *cpus;
  const auto loaded = control::load(config);
  if (!loaded && loaded.error().code == ErrorCode::permission_denied)
    GTEST_SKIP() << "skipped: BPF programs can't be loaded here: " << loaded.error().message;
  ASSERT_TRUE(loaded) << loaded.error().message;
  for (const int program : {loaded->programs.xdp.fd(), loaded->programs.clock.fd()}) {
    bpf_prog_info info{};
    u32 length = sizeof info;
    ASSERT_EQ(bpf_obj_get_info_by_fd(program, &info, &length), 0);
    EXPECT_NE(info.btf_id, 0U) << info.name;
    EXPECT_GT(info.nr_func_info, 0U) << info.name;
    EXPECT_GT(info.nr_line_info, 0U) << info.name;
  }
}

}  // namespace
}  // namespace penstock
