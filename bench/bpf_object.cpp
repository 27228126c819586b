#include "bench/bpf_object.hpp"

#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace penstock::bench {
namespace {

int print_warnings(libbpf_print_level level, const char* format, va_list arguments) {
  return level == LIBBPF_WARN ? std::vfprintf(stderr, format, arguments) : 0;
}

}  // namespace

void give_up(std::string_view sentence) {
  fmt::print(stderr, "bench: {}\n", sentence);
  std::exit(1);
}

void give_up(std::string_view tried, int errno_value) {
  give_up(fmt::format("{}: {}", tried, std::strerror(errno_value)));
}

BpfObject::BpfObject(std::string name, std::span<const unsigned char> elf) : name_(std::move(name)) {
  libbpf_set_print(print_warnings);
  object_ = bpf_object__open_mem(elf.data(), elf.size(), nullptr);
  if (!object_) give_up("opening " + name_, errno);
}

BpfObject::~BpfObject() { bpf_object__close(object_); }

void BpfObject::use(const control::Maps& maps) {
  const Config& config = maps.tables().config;
  const auto shapes = control::map_shapes(config);
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_) {
    const std::string_view name = control::table_of(bpf_map__name(map));
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      if (name == shapes[i].name && bpf_map__reuse_fd(map, maps.fd(control::MapId{i})) != 0)
        give_up(name_ + ": table " + shapes[i].name, errno);
    }
    if (name.ends_with(".config") && bpf_map__set_initial_value(map, &config, sizeof config) != 0)
      give_up(name_ + ": setting its config", errno);
  }
}

void BpfObject::resize(const char* map, u32 entries) {
  if (bpf_map__set_max_entries(bpf_object__find_map_by_name(object_, map), entries) != 0)
    give_up(name_ + ": sizing " + map, errno);
}

void BpfObject::load() {
  if (bpf_object__load(object_) != 0) give_up("loading " + name_, errno);
}

int BpfObject::program(const char* name) const {
  const bpf_program* program = bpf_object__find_program_by_name(object_, name);
  if (!program) give_up(name_ + ": no program " + name);
  return bpf_program__fd(program);
}

int BpfObject::map(const char* name) const {
  const bpf_map* map = bpf_object__find_map_by_name(object_, name);
  if (!map) give_up(name_ + ": no map " + name);
  return bpf_map__fd(map);
}

}  // namespace penstock::bench
