// Asks this kernel's verifier for its word on the data plane's programs, loaded as penstockd loads them, and prints it as one
// line a program: name, BTF id, instructions verified. As a machine's first process (user-mode-linux) it mounts what loading
// needs and powers off at the end.
#include <bpf/bpf.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "control/loader.hpp"
#include "datapath/native/native_tables.hpp"

namespace penstock {
namespace {

bool report(const char* name, int program) {
  bpf_prog_info info{};
  __u32 length = sizeof info;
  if (bpf_obj_get_info_by_fd(program, &info, &length) != 0) {
    fmt::print("{}: the kernel gives no information\n", name);
    return false;
  }
  fmt::print("{}: btf {}, {} instructions verified\n", name, info.btf_id, info.verified_insns);
  return info.btf_id != 0;
}

bool report_all() {
  utsname kernel{};
  uname(&kernel);
  fmt::print("kernel {}\n", kernel.release);
  Config config = small_config();
  const auto cpus = control::possible_cpus();
  if (!cpus) {
    fmt::print("{}\n", cpus.error().message);
    return false;
  }
  config.cpus = *cpus;
  const auto loaded = control::load(config);
  if (!loaded) {
    fmt::print("{}\n", loaded.error().message);
    return false;
  }
  const bool balances = report("penstock_xdp", loaded->programs.xdp.fd());
  const bool tells_time = report("penstock_clock", loaded->programs.clock.fd());
  return balances && tells_time;
}

}  // namespace
}  // namespace penstock

int main() {
  const bool is_first_process = getpid() == 1;
  if (is_first_process) {
    mount("proc", "/proc", "proc", 0, nullptr);
    mount("sysfs", "/sys", "sysfs", 0, nullptr);
  }
  const bool accepted = penstock::report_all();
  fmt::print("{}\n", accepted ? "accepted" : "refused");
  if (std::fflush(stdout) != 0) return 1;
  if (is_first_process) reboot(RB_POWER_OFF);
  return accepted ? 0 : 1;
}
