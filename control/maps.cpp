#include "control/maps.hpp"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>

#include "control/permission.hpp"

namespace penstock::control {
namespace {

std::string describe(const MapShape& shape) {
  return fmt::format("table {} ({} bytes)", shape.name, u64{shape.value_bytes} * shape.entries);
}

Result<void> check_shape(int fd, const MapShape& shape, const std::string& path) {
  bpf_map_info info{};
  __u32 size = sizeof info;
  if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) return fail_errno("inspecting " + path, errno);
  if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != shape.value_bytes || info.max_entries != shape.entries)
    return fail(ErrorCode::invalid_argument,
                fmt::format("adopting {}: {} entries of {} bytes, expected {} of {}", path, info.max_entries,
                            info.value_size, shape.entries, shape.value_bytes));
  return {};
}

}  // namespace

Result<Maps> Maps::create(const Config& config) {
  Maps maps;
  const auto shapes = map_shapes(config);
  for (std::size_t i = 0; i < map_ids; ++i) {
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
    maps.files_[i] = File(bpf_map_create(BPF_MAP_TYPE_ARRAY, shapes[i].name, sizeof(u32), shapes[i].value_bytes,
                                         shapes[i].entries, &options));
    if (!maps.files_[i].is_open()) return fail_privileged("creating " + describe(shapes[i]), errno);
  }
  maps.tables_.config = config;
  if (auto mapped = maps.map_memory(); !mapped) return fail(mapped.error());
  return maps;
}

Result<Maps> Maps::open(const Config& config, const std::string& directory) {
  Maps maps;
  const auto shapes = map_shapes(config);
  for (std::size_t i = 0; i < map_ids; ++i) {
    const std::string path = directory + "/" + shapes[i].name;
    maps.files_[i] = File(bpf_obj_get(path.c_str()));
    if (!maps.files_[i].is_open()) return fail_privileged("adopting " + path, errno);
    if (auto fits = check_shape(maps.files_[i].fd(), shapes[i], path); !fits) return fail(fits.error());
  }
  maps.tables_.config = config;
  if (auto mapped = maps.map_memory(); !mapped) return fail(mapped.error());
  return maps;
}

Result<void> Maps::pin(const std::string& directory) const {
  const auto shapes = map_shapes(tables_.config);
  for (std::size_t i = 0; i < map_ids; ++i) {
    const std::string path = directory + "/" + shapes[i].name;
    if (bpf_obj_pin(files_[i].fd(), path.c_str()) != 0) return fail_privileged("pinning " + path, errno);
  }
  return {};
}

Maps::Maps(Maps&& other) noexcept
    : files_(std::move(other.files_)), memory_(std::exchange(other.memory_, {})), tables_(other.tables_) {}

Maps::~Maps() {
  for (const std::span<std::byte> memory : memory_)
    if (!memory.empty()) munmap(memory.data(), memory.size());
}

template <typename Row>
std::span<Row> Maps::rows(MapId id) const {
  const auto index = static_cast<std::size_t>(id);
  const MapShape shape = map_shapes(tables_.config)[index];
  return {reinterpret_cast<Row*>(memory_[index].data()), u64{shape.value_bytes} * shape.entries / sizeof(Row)};
}

Result<void> Maps::map_memory() {
  const auto shapes = map_shapes(tables_.config);
  for (std::size_t i = 0; i < map_ids; ++i) {
    const std::size_t bytes = std::size_t{shapes[i].value_bytes} * shapes[i].entries;
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, files_[i].fd(), 0);
    if (memory == MAP_FAILED) return fail_errno("mapping " + describe(shapes[i]), errno);
    memory_[i] = {static_cast<std::byte*>(memory), bytes};
  }
  tables_ = {.config = tables_.config,
             .connections = rows<ConnectionBucket>(MapId::connections),
             .services = rows<ServiceBucket>(MapId::services),
             .connection_tags = rows<u64>(MapId::connection_tags),
             .service_tags = rows<u64>(MapId::service_tags),
             .servers = rows<RealServer>(MapId::servers),
             .loads = rows<ServerLoad>(MapId::loads),
             .counters = rows<ServerCounters>(MapId::counters),
             .next_hops = rows<NextHop>(MapId::next_hops),
             .schedules = rows<u64>(MapId::schedules),
             .interfaces = rows<Interface>(MapId::interfaces),
             .reasons = rows<ReasonCounters>(MapId::reasons),
             .punted = rows<PuntedFrame>(MapId::punted),
             .vip_filter = rows<VipFilter>(MapId::vip_filter).data(),
             .settings = rows<Settings>(MapId::settings).data(),
             .mark_rules = rows<MarkRules>(MapId::mark_rules).data(),
             .own_prefixes = rows<OwnPrefixes>(MapId::own_prefixes).data(),
             .local_pool = rows<LocalPool>(MapId::local_pool).data(),
             .shared = rows<SharedState>(MapId::shared).data()};
  return {};
}

}  // namespace penstock::control
