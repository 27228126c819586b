#include "control/tc_filter.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/file.hpp"
#include "control/permission.hpp"

namespace penstock::control {
namespace {

// Our place among the filters. Others, such as a container network's, mostly take the first: a director comes before it as XDP
// would only where it is alone, and behind it otherwise.
constexpr u32 handle = 0x70656e;  // "pen"
constexpr u32 priority = 10;

bpf_tc_hook hook_on(u32 interface, TcProgram which) {
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = static_cast<int>(interface);
  hook.attach_point = which == TcProgram::in ? BPF_TC_INGRESS : BPF_TC_EGRESS;
  return hook;
}

// libbpf prints what the kernel refuses, and there is nothing to read in it that isn't in our errors.
class Quiet {
 public:
  Quiet() : previous_(libbpf_set_print(nullptr)) {}
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
  ~Quiet() { libbpf_set_print(previous_); }

 private:
  libbpf_print_fn_t previous_;
};

std::string name_of_program(u32 id) {
  const File program(bpf_prog_get_fd_by_id(id));
  bpf_prog_info info{};
  __u32 size = sizeof info;
  if (!program.is_open() || bpf_obj_get_info_by_fd(program.fd(), &info, &size) != 0) return fmt::format("id {}", id);
  return {info.name, strnlen(info.name, sizeof info.name)};
}

// The name of the program in our place; nothing: there is none.
Result<std::optional<std::string>> program_in_our_place(u32 interface, TcProgram which) {
  const Quiet quiet;
  const bpf_tc_hook hook = hook_on(interface, which);
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = handle, .priority = priority);
  const int problem = bpf_tc_query(&hook, &options);
  // EINVAL: no clsact. EOPNOTSUPP, too: the kernel knows no TC.
  if (problem == -ENOENT || problem == -EINVAL || problem == -EOPNOTSUPP || problem == -ENODEV) return std::nullopt;
  if (problem != 0) return fail_privileged(fmt::format("asking for the filters of interface {}", interface), -problem);
  return name_of_program(options.prog_id);
}

bool is_ours(const std::optional<std::string>& name, TcProgram which) { return name && *name == name_of(which); }

Result<u32> count_filters(netlink::Socket& socket, u32 interface, u32 side) {
  std::array<char, MNL_NLMSG_HDRLEN + sizeof(tcmsg) + 64> buffer{};
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = RTM_GETTFILTER;
  request->nlmsg_flags = NLM_F_DUMP;
  auto* about = static_cast<tcmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(tcmsg)));
  about->tcm_ifindex = static_cast<int>(interface);
  about->tcm_parent = TC_H_MAKE(TC_H_CLSACT, side);
  u32 count = 0;
  auto asked = socket.ask(request, [&](const nlmsghdr* message) { count += message->nlmsg_type == RTM_NEWTFILTER; });
  if (!asked) return with_context(fmt::format("listing the filters of interface {}", interface), asked.error());
  return count;
}

Result<void> remove_qdisc_if_unused(u32 interface) {
  auto netlink = netlink::Socket::open({});
  if (!netlink) return fail(netlink.error());
  for (const u32 side : {TC_H_MIN_INGRESS, TC_H_MIN_EGRESS}) {
    const auto count = count_filters(*netlink, interface, side);
    if (!count) return fail(count.error());
    if (*count != 0) return {};
  }
  const Quiet quiet;
  bpf_tc_hook hook = hook_on(interface, TcProgram::in);
  hook.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
  if (const int problem = bpf_tc_hook_destroy(&hook); problem != 0 && problem != -ENOENT && problem != -EINVAL)
    return fail_privileged(fmt::format("removing the clsact of interface {}", interface), -problem);
  return {};
}

// True: it wasn't there.
Result<bool> make_qdisc(const Link& link) {
  const Quiet quiet;
  bpf_tc_hook hook = hook_on(link.index, TcProgram::in);
  const int problem = bpf_tc_hook_create(&hook);
  if (problem == -EEXIST) return false;
  if (problem != 0) return fail_privileged(fmt::format("attaching to {} (TC): making its clsact", link.name), -problem);
  return true;
}

}  // namespace

Result<bool> has_tc_filter(u32 interface, TcProgram which) {
  return program_in_our_place(interface, which).map([which](const auto& name) { return is_ours(name, which); });
}

Result<void> attach_tc(int program, const Link& link, TcProgram which, const std::string& qdisc_pin) {
  const std::string tried = fmt::format("attaching to {} (TC)", link.name);
  const auto made = make_qdisc(link);
  if (!made) return fail(made.error());
  if (*made) {
    unlink(qdisc_pin.c_str());  // of an interface that had the same index before
    if (bpf_obj_pin(program, qdisc_pin.c_str()) != 0) return fail_privileged("pinning " + qdisc_pin, errno);
  }
  const auto present = program_in_our_place(link.index, which);
  if (!present) return fail(present.error());
  if (*present && !is_ours(*present, which))
    return fail(ErrorCode::busy, fmt::format("{}: another filter, of program \"{}\", has our place (priority {})",
                                             tried, **present, priority));
  const Quiet quiet;
  const bpf_tc_hook hook = hook_on(link.index, which);
  LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .flags = BPF_TC_F_REPLACE, .handle = handle,
              .priority = priority);
  if (const int problem = bpf_tc_attach(&hook, &options); problem != 0) return fail_privileged(tried, -problem);
  return {};
}

Result<void> detach_tc(u32 interface, TcProgram which, const std::string& qdisc_pin) {
  const auto present = has_tc_filter(interface, which);
  if (!present) return fail(present.error());
  if (*present) {
    const Quiet quiet;
    const bpf_tc_hook hook = hook_on(interface, which);
    LIBBPF_OPTS(bpf_tc_opts, options, .handle = handle, .priority = priority);
    if (const int problem = bpf_tc_detach(&hook, &options); problem != 0)
      return fail_privileged(fmt::format("detaching from interface {} (TC)", interface), -problem);
  }
  if (access(qdisc_pin.c_str(), F_OK) != 0) return {};
  if (auto removed = remove_qdisc_if_unused(interface); !removed) return removed;
  unlink(qdisc_pin.c_str());
  return {};
}

}  // namespace penstock::control
