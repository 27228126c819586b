// Asks this kernel's verifier for its word on the data plane's programs, loaded as penstockd loads them, and prints it as one
// line a program: name, BTF id, instructions verified. With --steps, and always on a kernel without BTF of its own, it asks for each
// step (steps.bpf.cpp): which of them the verifier's million instructions go to. As a machine's first process (user-mode-linux) it
// mounts what loading needs and powers off at the end.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string_view>

#include "agent/bpf/clamp_mss_object.hpp"
#include "agent/bpf/client_address_object.hpp"
#include "agent/bpf/decapsulate_object.hpp"
#include "control/loader.hpp"
#include "control/map_shape.hpp"
#include "datapath/native/native_tables.hpp"
#include "tests/verifier/steps_object.hpp"
#include "tests/verifier/steps_tc_object.hpp"

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

struct CloseObject {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};

void size_maps(bpf_object* object, const Config& config) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    const std::string_view name = control::table_of(bpf_map__name(map));
    for (const control::MapShape& shape : control::map_shapes(config))
      if (name == shape.name) bpf_map__set_max_entries(map, shape.entries);
    if (name.ends_with(".config")) bpf_map__set_initial_value(map, &config, sizeof config);
  }
}

// A kernel that interprets BPF has no bpf_loop.
bool has_jit() { return std::filesystem::exists("/proc/sys/net/core/bpf_jit_enable"); }

bool report_steps_of(const unsigned char* begin, const unsigned char* end, const Config& config) {
  LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "steps");
  const std::unique_ptr<bpf_object, CloseObject> object(
      bpf_object__open_mem(begin, static_cast<size_t>(end - begin), &options));
  if (!object) return false;
  size_maps(object.get(), config);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object.get()) {
    if (bpf_program__name(program) != std::string_view("step_scan") || has_jit()) continue;
    fmt::print("step_scan: not judged, this kernel has no BPF compiler and so no bpf_loop\n");
    bpf_program__set_autoload(program, false);
  }
  if (bpf_object__load(object.get()) != 0) return false;
  bool all = true;
  bpf_object__for_each_program(program, object.get()) {
    if (bpf_program__fd(program) >= 0) all = report(bpf_program__name(program), bpf_program__fd(program)) && all;
  }
  return all;
}

bool report_steps(const Config& config) {
  const bool xdp = report_steps_of(penstock_steps_bpf_begin, penstock_steps_bpf_end, config);
  fmt::print("and of the TC program:\n");
  return report_steps_of(penstock_steps_tc_bpf_begin, penstock_steps_tc_bpf_end, config) && xdp;
}

bool report_real_server(const Config& config) {
  fmt::print("and of a real server's programs:\n");
  const bool clamps = report_steps_of(penstock_clamp_mss_bpf_begin, penstock_clamp_mss_bpf_end, config);
  const bool tells = report_steps_of(penstock_client_address_bpf_begin, penstock_client_address_bpf_end, config);
  return report_steps_of(penstock_decapsulate_bpf_begin, penstock_decapsulate_bpf_end, config) && clamps && tells;
}

bool report_tc(const control::Maps& maps, control::TcProgram which, const char* name) {
  const auto loaded = control::load_tc_program(maps, which);
  if (!loaded) fmt::print("{}\n", loaded.error().message);
  return loaded && report(name, loaded->fd());
}

bool report_programs(const Config& config) {
  const auto loaded = control::load(config);
  if (!loaded) {
    fmt::print("{}\n", loaded.error().message);
    return false;
  }
  const bool balances = report("penstock_xdp", loaded->programs.xdp.fd());
  const bool tells_time = report("penstock_clock", loaded->programs.clock.fd());
  const bool balances_by_tc = report_tc(loaded->maps, control::TcProgram::in, "penstock_tc");
  const bool watches = report_tc(loaded->maps, control::TcProgram::out, "penstock_tc_out");
  return balances && tells_time && balances_by_tc && watches;
}

bool report_all(bool wants_steps) {
  utsname kernel{};
  uname(&kernel);
  fmt::print("kernel {}\n", kernel.release);
  Config config = small_config();
  const auto cpus = control::counter_rows();
  if (!cpus) {
    fmt::print("{}\n", cpus.error().message);
    return false;
  }
  config.cpus = *cpus;
  if (!std::filesystem::exists("/sys/kernel/btf/vmlinux")) {
    fmt::print("no BTF of the kernel: each step is judged by itself\n");
    return report_steps(config) && report_real_server(config);
  }
  const bool accepted = report_programs(config) && report_real_server(config);
  return wants_steps ? report_steps(config) && accepted : accepted;
}

}  // namespace
}  // namespace penstock

int main(int arguments, char** argument) {
  const bool is_first_process = getpid() == 1;
  if (is_first_process) {
    mount("proc", "/proc", "proc", 0, nullptr);
    mount("sysfs", "/sys", "sysfs", 0, nullptr);
  }
  const bool accepted = penstock::report_all(arguments > 1 && argument[1] == std::string_view("--steps"));
  fmt::print("{}\n", accepted ? "accepted" : "refused");
  if (std::fflush(stdout) != 0) return 1;
  if (is_first_process) reboot(RB_POWER_OFF);
  return accepted ? 0 : 1;
}
