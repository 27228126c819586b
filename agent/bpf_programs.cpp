#include "agent/bpf_programs.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "agent/bpf/clamp_mss_object.hpp"
#include "agent/bpf/client_address_object.hpp"
#include "agent/bpf/configuration.hpp"
#include "agent/bpf/decapsulate_object.hpp"
#include "agent/network_namespace.hpp"
#include "base/file.hpp"

namespace penstock::agent {
namespace {

struct ObjectBytes {
  const char* name;
  const unsigned char* begin;
  const unsigned char* end;
};

ObjectBytes object_of(std::string_view program) {
  if (program == "pen_clamp_mss") return {"clamp_mss", penstock_clamp_mss_bpf_begin, penstock_clamp_mss_bpf_end};
  if (program.starts_with("pen_decap_"))
    return {"decapsulate", penstock_decapsulate_bpf_begin, penstock_decapsulate_bpf_end};
  return {"client_address", penstock_client_address_bpf_begin, penstock_client_address_bpf_end};
}

// What libbpf and the verifier said last, for the error's sentence: libbpf only prints it.
thread_local std::string last_words;
constexpr std::size_t last_words_max = 1500;

int remember(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  std::array<char, 16384> text{};
  if (std::vsnprintf(text.data(), text.size(), format, arguments) > 0) last_words += text.data();
  if (last_words.size() > last_words_max) last_words.erase(0, last_words.size() - last_words_max);
  return 0;
}

AddressKey key_of(const model::Address& address) {
  AddressKey key{};
  auto* bytes = reinterpret_cast<std::uint8_t*>(key.words);
  if (address.family == model::Family::ipv6) {
    std::memcpy(bytes, address.bytes.data(), sizeof key);
    return key;
  }
  bytes[10] = bytes[11] = 0xff;
  std::memcpy(bytes + 12, address.bytes.data(), 4);
  return key;
}

PrefixKey key_of(const model::Prefix& prefix) {
  const bool is_ipv4 = prefix.address.family == model::Family::ipv4;
  return {.bits = static_cast<u32>(prefix.length + (is_ipv4 ? 96 : 0)), .address = key_of(prefix.address)};
}

// A map that this object does not have is not filled.
template <typename Values>
Result<void> fill(bpf_object* object, const char* map, const Values& values) {
  const int fd = bpf_object__find_map_fd_by_name(object, map);
  if (fd < 0) return {};
  const std::uint8_t member = 1;
  for (const auto& value : values) {
    const auto key = key_of(value);
    if (bpf_map_update_elem(fd, &key, &member, BPF_ANY) != 0)
      return fail_errno(fmt::format("writing {} to map {}", to_string(value), map), errno);
  }
  return {};
}

Result<ClientConfig> client_config(const ProgramConfig& config) {
  return namespace_cookie().map([&](std::uint64_t cookie) {
    return ClientConfig{.namespace_cookie = cookie, .option_kind = config.option_kind, .reserved = 0};
  });
}

template <typename Constants>
Result<void> put_constants(bpf_object* object, const Constants& constants) {
  bpf_map* map = bpf_object__find_map_by_name(object, ".rodata.config");
  if (map == nullptr || bpf_map__set_initial_value(map, &constants, sizeof constants) != 0)
    return fail_errno("setting a program's constants", map == nullptr ? ENOENT : errno);
  return {};
}

Result<void> put_constants(bpf_object* object, std::string_view name, const ProgramConfig& config) {
  if (name == "clamp_mss") return put_constants(object, ClampConfig{.overhead = config.overhead, .mss = config.mss});
  if (name != "client_address") return {};
  const auto constants = client_config(config);
  if (!constants) return fail(constants.error());
  return put_constants(object, *constants);
}

Result<void> load_object(bpf_object* object, const char* name, const ProgramConfig& config) {
  if (auto put = put_constants(object, name, config); !put) return put;
  if (bpf_object__load(object) != 0)
    return fail_errno(fmt::format("loading {} into the kernel: {}", name, last_words), errno);
  if (auto filled = fill(object, "vips", config.vips); !filled) return filled;
  if (auto filled = fill(object, "own_addresses", config.own_addresses); !filled) return filled;
  return fill(object, "directors", config.directors);
}

}  // namespace

BpfPrograms::~BpfPrograms() {
  for (const auto& [name, object] : objects_) bpf_object__close(object);
}

Result<bpf_object*> BpfPrograms::object_with(const std::string& program) {
  const ObjectBytes bytes = object_of(program);
  if (const auto found = objects_.find(bytes.name); found != objects_.end()) return found->second;
  libbpf_set_print(remember);
  last_words.clear();
  LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = bytes.name);
  bpf_object* object = bpf_object__open_mem(bytes.begin, static_cast<std::size_t>(bytes.end - bytes.begin), &options);
  if (object == nullptr) return fail_errno(fmt::format("reading the embedded BPF object {}", bytes.name), errno);
  if (auto loaded = load_object(object, bytes.name, config_); !loaded) {
    bpf_object__close(object);
    return fail(std::move(loaded.error()));
  }
  objects_.emplace(bytes.name, object);
  return object;
}

Result<std::string> BpfPrograms::load(const std::string& program) {
  const auto object = object_with(program);
  if (!object) return fail(object.error());
  const bpf_program* loaded = bpf_object__find_program_by_name(*object, program.c_str());
  if (loaded == nullptr) return fail(ErrorCode::not_found, fmt::format("there is no program {}", program));
  bpf_prog_info info{};
  __u32 size = sizeof info;
  if (bpf_obj_get_info_by_fd(bpf_program__fd(loaded), &info, &size) != 0)
    return fail_errno(fmt::format("inspecting program {}", program), errno);
  return fmt::format("{} {}", program, info.id);
}

Result<File> open_program(const std::string& value) {
  const std::size_t space = value.find(' ');
  std::uint32_t number = 0;
  const char* end = value.data() + value.size();
  if (space == std::string::npos || std::from_chars(value.data() + space + 1, end, number).ec != std::errc{})
    return fail(ErrorCode::invalid_argument, fmt::format("\"{}\" is not a program's name and number", value));
  File program(bpf_prog_get_fd_by_id(number));
  if (!program.is_open()) return fail_errno(fmt::format("finding program {}", value), errno);
  return program;
}

Result<std::string> value_of(std::uint32_t number) {
  const File program(bpf_prog_get_fd_by_id(number));
  bpf_prog_info info{};
  __u32 size = sizeof info;
  if (!program.is_open() || bpf_obj_get_info_by_fd(program.fd(), &info, &size) != 0)
    return fail_errno(fmt::format("inspecting program number {}", number), errno);
  const std::string name(info.name, strnlen(info.name, sizeof info.name));
  return fmt::format("{} {}", name.empty() ? "unnamed" : name, number);
}

}  // namespace penstock::agent
