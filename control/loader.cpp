#include "control/loader.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <memory>
#include <string>

#include "control/permission.hpp"
#include "datapath/bpf/balance_object.hpp"
#include "datapath/bpf/balance_tc_object.hpp"

namespace penstock::control {
namespace {

// What libbpf and the verifier said last, for the error's sentence: libbpf only prints it.
thread_local std::string last_words;
constexpr std::size_t last_words_max = 1500;

int remember(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  std::string text(static_cast<std::size_t>(std::max(length, 0)), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, arguments);
  last_words += text;  // the verifier's log is long, and ends with the reason
  if (last_words.size() > last_words_max) last_words.erase(0, last_words.size() - last_words_max);
  return 0;
}

class Listening {
 public:
  Listening() : previous_(libbpf_set_print(remember)) { last_words.clear(); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening() { libbpf_set_print(previous_); }

 private:
  libbpf_print_fn_t previous_;
};

struct CloseObject {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using Object = std::unique_ptr<bpf_object, CloseObject>;

Result<void> put_config(bpf_map* map, const Config& config) {
  size_t size = 0;
  bpf_map__initial_value(map, &size);
  if (size != sizeof config)
    return fail(ErrorCode::invalid_argument,
                fmt::format("the program's constants have {} bytes, Config {}", size, sizeof config));
  if (bpf_map__set_initial_value(map, &config, sizeof config) != 0)
    return fail_errno("setting the program's constants", errno);
  return {};
}

Result<void> put_map(bpf_map* map, const Maps& maps) {
  const std::string_view name = table_of(bpf_map__name(map));
  if (name.ends_with(".config")) return put_config(map, maps.tables().config);
  if (name.ends_with(".rodata")) return {};  // the compiler's own constants
  const auto shapes = map_shapes(maps.tables().config);
  for (std::size_t i = 0; i < map_ids; ++i) {
    if (name != shapes[i].name) continue;
    if (shapes[i].value_bytes % bpf_map__value_size(map) != 0) break;  // of data the program knows one row
    if (bpf_map__reuse_fd(map, maps.fd(MapId{i})) != 0) return fail_errno(fmt::format("using table {}", name), errno);
    return {};
  }
  return fail(ErrorCode::invalid_argument, fmt::format("the program has a map {} that the loader does not know", name));
}

Result<void> put_maps(bpf_object* object, const Maps& maps) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (auto put = put_map(map, maps); !put) return put;
  }
  return {};
}

// libbpf drops BTF that the kernel rejects and loads anyway; what needs it then fails later.
Result<void> check_btf(int fd, const char* name) {
  bpf_prog_info info{};
  __u32 size = sizeof info;
  if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0)
    return fail_errno(fmt::format("inspecting program {}", name), errno);
  if (info.btf_id == 0)
    return fail(ErrorCode::invalid_argument, fmt::format("the kernel refused the BTF of program {}", name));
  return {};
}

// EACCES is the verifier's: who lacks a capability gets EPERM.
tl::unexpected<Error> fail_load(int errno_value) {
  constexpr std::string_view tried = "loading the data plane into the kernel";
  if (errno_value != EACCES) return fail_privileged(fmt::format("{}: {}", tried, last_words), errno_value);
  return fail(ErrorCode::unsupported, fmt::format("{}: its verifier refuses it: {}", tried, last_words), errno_value);
}

// The file stays valid after the object is closed.
Result<File> take_program(bpf_object* object, const char* name) {
  const bpf_program* program = bpf_object__find_program_by_name(object, name);
  if (program == nullptr) return fail(ErrorCode::not_found, fmt::format("the BPF object has no program {}", name));
  File file(fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 0));
  if (!file.is_open()) return fail_errno(fmt::format("keeping program {}", name), errno);
  if (auto checked = check_btf(file.fd(), name); !checked) return fail(checked.error());
  return file;
}

// `begin` to `end`: an embedded object, loaded over `maps`; all its programs, or one.
Result<Object> load_object(const unsigned char* begin, const unsigned char* end, const Maps& maps,
                           std::string_view only = {}) {
  const Listening listening;
  LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "penstock");
  Object object(bpf_object__open_mem(begin, static_cast<size_t>(end - begin), &options));
  if (!object) return fail_errno("reading the embedded BPF object", errno);
  if (auto put = put_maps(object.get(), maps); !put) return fail(put.error());
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object.get())
      bpf_program__set_autoload(program, only.empty() || only == bpf_program__name(program));
  if (bpf_object__load(object.get()) != 0) return fail_load(errno);
  return object;
}

}  // namespace

Result<File> load_tc_program(const Maps& maps, TcProgram which) {
  const char* name = name_of(which);
  const auto object = load_object(penstock_balance_tc_bpf_begin, penstock_balance_tc_bpf_end, maps, name);
  if (!object) return fail(object.error());
  return take_program(object->get(), name);
}

Result<LoadedPrograms> load_programs(const Maps& maps) {
  const auto object = load_object(penstock_balance_bpf_begin, penstock_balance_bpf_end, maps);
  if (!object) return fail(object.error());
  auto xdp = take_program(object->get(), "penstock_xdp");
  if (!xdp) return fail(xdp.error());
  auto clock = take_program(object->get(), "penstock_clock");
  if (!clock) return fail(clock.error());
  return LoadedPrograms{std::move(*xdp), std::move(*clock)};
}

Result<LoadedProgram> load(const Config& config) {
  auto maps = Maps::create(config);
  if (!maps) return fail(maps.error());
  auto programs = load_programs(*maps);
  if (!programs) return fail(programs.error());
  return LoadedProgram{std::move(*maps), std::move(*programs)};
}

Result<u32> counter_rows() {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return fail_errno("counting the machine's possible CPUs", -cpus);
  return static_cast<u32>(cpus) + 1;
}

}  // namespace penstock::control
