#include "control/xdp_link.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/if_link.h>

#include <cerrno>
#include <cstring>

#include "control/permission.hpp"

namespace penstock::control {
namespace {

const char* word(Hook hook) { return hook == Hook::native ? "native" : "generic"; }

u32 attached_program(u32 interface) {
  LIBBPF_OPTS(bpf_xdp_query_opts, found);
  if (bpf_xdp_query(static_cast<int>(interface), 0, &found) != 0) return 0;
  for (const u32 id : {found.prog_id, found.drv_prog_id, found.skb_prog_id, found.hw_prog_id})
    if (id != 0) return id;
  return 0;
}

std::string name_of_program(u32 id) {
  const File program(bpf_prog_get_fd_by_id(id));
  bpf_prog_info info{};
  __u32 size = sizeof info;
  if (!program.is_open() || bpf_obj_get_info_by_fd(program.fd(), &info, &size) != 0) return fmt::format("id {}", id);
  return fmt::format("\"{}\" (id {})", std::string_view(info.name, strnlen(info.name, sizeof info.name)), id);
}

}  // namespace

Result<File> attach_xdp(int program, const Link& link, Hook hook) {
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = hook == Hook::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
  File attached(bpf_link_create(program, static_cast<int>(link.index), BPF_XDP, &options));
  if (attached.is_open()) return attached;
  const int problem = errno;
  const std::string tried = fmt::format("attaching to {} ({} XDP)", link.name, word(hook));
  const u32 other = attached_program(link.index);
  if (other != 0 && (problem == EBUSY || problem == EEXIST))
    return fail(
        ErrorCode::busy,
        fmt::format("{}: another XDP program, {}, is attached there; `ip link set dev {} xdp off` takes it away", tried,
                    name_of_program(other), link.name),
        problem);
  return fail_privileged(tried, problem);
}

Result<void> replace_xdp(const File& link, int program) {
  if (bpf_link_update(link.fd(), program, nullptr) != 0) return fail_privileged("replacing an XDP program", errno);
  return {};
}

Result<u32> interface_of(const File& link) {
  bpf_link_info info{};
  __u32 size = sizeof info;
  if (bpf_obj_get_info_by_fd(link.fd(), &info, &size) != 0) return fail_errno("inspecting a link", errno);
  if (info.type != BPF_LINK_TYPE_XDP) return fail(ErrorCode::invalid_argument, "not an XDP link");
  return info.xdp.ifindex;
}

Result<void> pin_link(const File& link, const std::string& path) {
  if (bpf_obj_pin(link.fd(), path.c_str()) != 0) return fail_privileged("pinning " + path, errno);
  return {};
}

Result<File> open_pinned_link(const std::string& path) {
  File link(bpf_obj_get(path.c_str()));
  if (!link.is_open()) return fail_privileged("opening " + path, errno);
  return link;
}

Result<void> detach(const File& link) {
  if (bpf_link_detach(link.fd()) != 0 && errno != ENOLINK) return fail_privileged("detaching a program", errno);
  return {};
}

Result<Hook> hook_on(u32 interface) {
  LIBBPF_OPTS(bpf_xdp_query_opts, found);
  if (const int problem = bpf_xdp_query(static_cast<int>(interface), 0, &found); problem != 0)
    return fail_errno(fmt::format("asking how interface {} runs XDP", interface), -problem);
  return found.attach_mode == XDP_ATTACHED_SKB ? Hook::generic : Hook::native;
}

}  // namespace penstock::control
