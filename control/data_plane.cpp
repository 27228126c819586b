#include "control/data_plane.hpp"

#include <bpf/bpf.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include "control/permission.hpp"
#include "control/tc_filter.hpp"
#include "control/xdp_link.hpp"

namespace penstock::control {
namespace {

namespace fs = std::filesystem;

std::string config_path(const std::string& directory) { return directory + "/config"; }
std::string maps_path(const std::string& directory) { return directory + "/maps"; }
std::string links_path(const std::string& directory) { return directory + "/links"; }
std::string qdiscs_path(const std::string& directory) { return directory + "/qdiscs"; }

Result<void> make_directories(const std::string& directory) {
  std::error_code problem;
  for (const std::string& path : {maps_path(directory), links_path(directory), qdiscs_path(directory)}) {
    fs::create_directories(path, problem);
    if (problem) return fail_privileged("creating " + path, problem.value());
  }
  return {};
}

struct Found {
  u32 abi_version = 0;
  std::optional<PinnedConfig> pinned;  // of our own version only
};

// Nothing: no daemon has left a whole data plane here.
Result<std::optional<Found>> find(const std::string& directory) {
  const std::string path = config_path(directory);
  const File map(bpf_obj_get(path.c_str()));
  if (!map.is_open() && errno == ENOENT) return std::nullopt;
  if (!map.is_open()) return fail_privileged("adopting " + path, errno);
  bpf_map_info info{};
  __u32 size = sizeof info;
  if (bpf_obj_get_info_by_fd(map.fd(), &info, &size) != 0) return fail_errno("inspecting " + path, errno);
  std::vector<std::byte> value(info.value_size);
  const u32 key = 0;
  if (bpf_map_lookup_elem(map.fd(), &key, value.data()) != 0) return fail_errno("reading " + path, errno);

  Found found;
  if (value.size() >= sizeof found.abi_version) std::memcpy(&found.abi_version, value.data(), sizeof found.abi_version);
  if (found.abi_version == abi_version && value.size() == sizeof(PinnedConfig)) {
    found.pinned.emplace();
    std::memcpy(&*found.pinned, value.data(), sizeof(PinnedConfig));
  }
  return found;
}

Result<void> pin_config(const std::string& directory, const PinnedConfig& pinned) {
  const File map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "config", sizeof(u32), sizeof pinned, 1, nullptr));
  if (!map.is_open()) return fail_privileged("creating map config", errno);
  const u32 key = 0;
  if (bpf_map_update_elem(map.fd(), &key, &pinned, BPF_ANY) != 0) return fail_errno("writing map config", errno);
  const std::string path = config_path(directory);
  if (bpf_obj_pin(map.fd(), path.c_str()) != 0) return fail_privileged("pinning " + path, errno);
  return {};
}

Result<Maps> create(const DataPlane::Options& options) {
  if (auto made = make_directories(options.directory); !made) return fail(made.error());
  auto maps = Maps::create(options.wanted);
  if (!maps) return maps;
  if (auto pinned = maps->pin(maps_path(options.directory)); !pinned) return fail(pinned.error());
  const PinnedConfig config{
      .abi_version = abi_version, .zero = 0, .namespace_cookie = options.namespace_cookie, .config = options.wanted};
  if (auto pinned = pin_config(options.directory, config); !pinned) return fail(pinned.error());
  return maps;
}

bool same_sizes(Config a, const Config& b) {
  std::memcpy(a.hash_key, b.hash_key, sizeof a.hash_key);
  return std::memcmp(&a, &b, sizeof a) == 0;
}

Result<Maps> adopt_or_create(const DataPlane::Options& options, const Log& log) {
  const auto found = find(options.directory);
  if (!found) return fail(found.error());
  const bool is_of_dead_namespace =
      *found && (*found)->pinned && (*found)->pinned->namespace_cookie != options.namespace_cookie;
  if (!*found || is_of_dead_namespace) {
    if (is_of_dead_namespace) log.info("removing the tables of an earlier network namespace of the same number");
    if (const auto removed = DataPlane::unload(options.directory); !removed) return fail(removed.error());
    log.info(fmt::format("new tables in {}", options.directory));
    return create(options);
  }
  if (!(*found)->pinned)
    return fail(
        ErrorCode::unsupported,
        fmt::format("the tables in {} are of version {}, this penstockd's are of version {}: they can't be adopted. "
                    "`penstockd --unload` removes them, and with them all connections; services are kept",
                    options.directory, (*found)->abi_version, abi_version));
  const Config& config = (*found)->pinned->config;
  log.info(fmt::format("adopting the tables in {}", options.directory));
  if (!same_sizes(config, options.wanted))
    log.warn(
        "the adopted tables keep their sizes; for those of the options, `penstockd --unload` first (ends all "
        "connections)");
  return Maps::open(config, maps_path(options.directory));
}

// Detached first, because another process may hold the link, too.
Result<void> remove_links(const std::string& directory) {
  std::error_code problem;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, problem)) {
    const auto link = open_pinned_link(entry.path().string());
    if (!link) return fail(link.error());
    if (auto detached = detach(*link); !detached) return detached;
  }
  return {};
}

// From whatever interface of this network namespace has ours.
Result<void> remove_filters(const std::string& directory) {
  auto netlink = netlink::Socket::open({});
  if (!netlink) return fail(netlink.error());
  const auto links = list_links(*netlink);
  if (!links) return fail(links.error());
  for (const Link& link : *links) {
    const std::string pin = fmt::format("{}/{}", qdiscs_path(directory), link.index);
    for (const TcProgram which : {TcProgram::in, TcProgram::out})
      if (auto detached = detach_tc(link.index, which, pin); !detached) return detached;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<DataPlane>> DataPlane::start(const Options& options, const Log& log) {
  auto maps = adopt_or_create(options, log);
  if (!maps) return fail(maps.error());
  std::error_code problem;
  fs::create_directories(qdiscs_path(options.directory), problem);  // adopted tables may be of a version without
  if (problem) return fail_privileged("creating " + qdiscs_path(options.directory), problem.value());
  auto programs = load_programs(*maps);
  if (!programs) return fail(programs.error());
  return std::unique_ptr<DataPlane>(new DataPlane(options.directory, std::move(*maps), std::move(*programs)));
}

Result<int> DataPlane::tc_program(TcProgram which) {
  File& program = which == TcProgram::in ? tc_in_ : tc_out_;
  if (!program.is_open()) {
    auto loaded = load_tc_program(maps_, which);
    if (!loaded) return fail(loaded.error());
    program = std::move(*loaded);
  }
  return program.fd();
}

Result<bool> DataPlane::unload(const std::string& directory) {
  if (auto removed = remove_filters(directory); !removed) return fail(removed.error());
  if (auto removed = remove_links(links_path(directory)); !removed) return fail(removed.error());
  std::error_code problem;
  fs::remove(config_path(directory), problem);  // first: what is left without it is a leftover
  const auto count = fs::remove_all(directory, problem);
  if (problem) return fail_privileged("removing " + directory, problem.value());
  return count > 0;
}

std::string pin_directory(const std::string& bpffs, const NetworkNamespace& network_namespace) {
  return fmt::format("{}/penstock/{}", bpffs, network_namespace.inode);
}

}  // namespace penstock::control
