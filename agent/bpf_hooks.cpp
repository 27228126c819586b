#include "agent/bpf_hooks.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_link.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "agent/bpf_programs.hpp"
#include "agent/bpffs.hpp"
#include "base/file.hpp"

namespace penstock::agent {
namespace {

// Behind penstockd's filter, where a host is director and real server.
constexpr std::uint32_t handle = 0x70656e;  // "pen"
constexpr std::uint32_t priority = 11;

// libbpf prints what the kernel refuses, and there is nothing to read in it that isn't in our errors.
void be_quiet() { libbpf_set_print(nullptr); }

bpf_tc_hook hook_on(std::uint32_t interface, TcSide side) {
  be_quiet();
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = static_cast<int>(interface);
  hook.attach_point = side == TcSide::in ? BPF_TC_INGRESS : BPF_TC_EGRESS;
  return hook;
}

Result<void> attach_xdp(std::uint32_t interface, int program, int replaced) {
  LIBBPF_OPTS(bpf_xdp_attach_opts, options, .old_prog_fd = replaced);
  const __u32 flags = XDP_FLAGS_DRV_MODE | (replaced >= 0 ? XDP_FLAGS_REPLACE : XDP_FLAGS_UPDATE_IF_NOEXIST);
  const int problem = bpf_xdp_attach(static_cast<int>(interface), program, flags, replaced >= 0 ? &options : nullptr);
  if (problem == 0) return {};
  if (problem == -EBUSY || problem == -EEXIST)
    return fail(ErrorCode::busy, "another XDP program is attached there", -problem);
  // A driver may refuse for many reasons of its own, such as an MTU or features that XDP does not go with.
  return fail(ErrorCode::unsupported, fail_errno("attaching in the driver", -problem).value().message, -problem);
}

struct CgroupHook {
  const char* name;
  bpf_attach_type type;
};

constexpr CgroupHook cgroup_hooks[] = {{"sock_ops", BPF_CGROUP_SOCK_OPS},
                                       {"getpeername4", BPF_CGROUP_INET4_GETPEERNAME},
                                       {"getpeername6", BPF_CGROUP_INET6_GETPEERNAME}};

Result<bpf_attach_type> attach_type(const std::string& name) {
  for (const CgroupHook& hook : cgroup_hooks)
    if (name == hook.name) return hook.type;
  return fail(ErrorCode::invalid_argument, fmt::format("\"{}\" is no place in a cgroup", name));
}

// Without a directory the root of the hierarchy, which need not be mounted where this process can see it.
Result<File> open_cgroup(const std::string& directory) {
  if (!directory.empty()) {
    File named(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!named.is_open()) return fail_errno("opening cgroup " + directory, errno);
    return named;
  }
  const File context(fsopen("cgroup2", FSOPEN_CLOEXEC));
  if (!context.is_open() || fsconfig(context.fd(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
    return fail_errno("opening the root of cgroup2", errno);
  File root(fsmount(context.fd(), FSMOUNT_CLOEXEC, 0));
  if (!root.is_open()) return fail_errno("opening the root of cgroup2", errno);
  File directory_file(openat(root.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory_file.is_open()) return fail_errno("opening the root of cgroup2", errno);
  return directory_file;
}

Result<void> unpin(const std::string& pin) {
  const File link(bpf_obj_get(pin.c_str()));
  if (link.is_open() && bpf_link_detach(link.fd()) != 0 && errno != ENOLINK)
    return fail_errno("detaching " + pin, errno);
  if (unlink(pin.c_str()) != 0 && errno != ENOENT) return fail_errno("removing " + pin, errno);
  const auto directory = std::filesystem::path(pin).parent_path();
  rmdir(directory.c_str());  // once it is empty
  rmdir(directory.parent_path().c_str());
  return {};
}

}  // namespace

Result<std::string> read_xdp(std::uint32_t interface) {
  LIBBPF_OPTS(bpf_xdp_query_opts, found);
  if (const int problem = bpf_xdp_query(static_cast<int>(interface), 0, &found); problem != 0)
    return fail_errno("asking for the XDP program", -problem);
  for (const std::uint32_t number : {found.prog_id, found.drv_prog_id, found.skb_prog_id, found.hw_prog_id})
    if (number != 0) return value_of(number);
  return "none";
}

Result<void> write_xdp(std::uint32_t interface, const std::string& value) {
  be_quiet();
  const auto current = read_xdp(interface);
  if (!current) return fail(current.error());
  File replaced;
  if (current->starts_with("pen_decap_xdp ")) {
    auto old = open_program(*current);
    if (!old) return fail(std::move(old.error()));
    replaced = std::move(*old);
  }
  if (value == "none") return replaced.is_open() ? attach_xdp(interface, -1, replaced.fd()) : Result<void>{};
  const auto program = open_program(value);
  if (!program) return fail(program.error());
  return attach_xdp(interface, program->fd(), replaced.fd());
}

Result<std::string> read_tc(std::uint32_t interface, TcSide side) {
  const bpf_tc_hook hook = hook_on(interface, side);
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = handle, .priority = priority);
  const int problem = bpf_tc_query(&hook, &options);
  // EINVAL: no clsact. EOPNOTSUPP, too: the kernel knows no TC.
  if (problem == -ENOENT || problem == -EINVAL || problem == -EOPNOTSUPP) return "none";
  if (problem != 0) return fail_errno("asking for the filters", -problem);
  return value_of(options.prog_id);
}

Result<void> write_tc(std::uint32_t interface, TcSide side, const std::string& value) {
  const bpf_tc_hook hook = hook_on(interface, side);
  if (value == "none") {
    LIBBPF_OPTS(bpf_tc_opts, options, .handle = handle, .priority = priority);
    const int problem = bpf_tc_detach(&hook, &options);
    if (problem != 0 && problem != -ENOENT) return fail_errno("detaching", -problem);
    return {};
  }
  const auto program = open_program(value);
  if (!program) return fail(program.error());
  LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program->fd(), .flags = BPF_TC_F_REPLACE, .handle = handle,
              .priority = priority);
  if (const int problem = bpf_tc_attach(&hook, &options); problem != 0) return fail_errno("attaching", -problem);
  return {};
}

Result<void> make_clsact(std::uint32_t interface) {
  bpf_tc_hook hook = hook_on(interface, TcSide::in);
  if (const int problem = bpf_tc_hook_create(&hook); problem != 0 && problem != -EEXIST)
    return fail_errno("making it", -problem);
  return {};
}

Result<void> remove_clsact(std::uint32_t interface) {
  bpf_tc_hook hook = hook_on(interface, TcSide::in);
  hook.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
  const int problem = bpf_tc_hook_destroy(&hook);
  if (problem != 0 && problem != -ENOENT && problem != -EINVAL) return fail_errno("removing it", -problem);
  return {};
}

Result<std::string> read_cgroup(const std::string& name) {
  const auto pin = pin_path(name);
  if (!pin) return fail(pin.error());
  const File link(bpf_obj_get(pin->c_str()));
  if (!link.is_open()) {
    if (errno == ENOENT) return "none";
    return fail_errno("opening " + *pin, errno);
  }
  bpf_link_info info{};
  __u32 size = sizeof info;
  if (bpf_obj_get_info_by_fd(link.fd(), &info, &size) != 0) return fail_errno("inspecting " + *pin, errno);
  return value_of(info.prog_id);
}

Result<void> write_cgroup(const std::string& name, const std::string& value, const std::string& cgroup) {
  const auto type = attach_type(name);
  const auto pin = pin_path(name);
  if (!type) return fail(type.error());
  if (!pin) return fail(pin.error());
  if (auto removed = unpin(*pin); !removed || value == "none") return removed;
  const auto program = open_program(value);
  const auto group = open_cgroup(cgroup);
  if (!program) return fail(program.error());
  if (!group) return fail(group.error());
  const File link(bpf_link_create(program->fd(), group->fd(), *type, nullptr));
  if (!link.is_open()) return fail_errno("attaching to the cgroup", errno);
  std::error_code problem;
  std::filesystem::create_directories(std::filesystem::path(*pin).parent_path(), problem);
  if (problem) return fail_errno("creating the directory of " + *pin, problem.value());
  if (bpf_obj_pin(link.fd(), pin->c_str()) != 0) return fail_errno("pinning " + *pin, errno);
  return {};
}

}  // namespace penstock::agent
