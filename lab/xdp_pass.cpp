#include "lab/xdp_pass.hpp"

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace penstock::lab {
namespace {

int bpf(bpf_cmd command, bpf_attr& attributes) {
  return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

std::uint64_t address_of(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory); }

Result<FileDescriptor> load_pass() {
  const std::array<bpf_insn, 2> program{{
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = XDP_PASS},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
  }};
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_XDP;
  attributes.insns = address_of(program.data());
  attributes.insn_cnt = program.size();
  attributes.license = address_of("GPL");
  std::strcpy(attributes.prog_name, "lab_pass");
  FileDescriptor fd(bpf(BPF_PROG_LOAD, attributes));
  if (!fd) return fail_errno("loading an XDP program", errno);
  return fd;
}

}  // namespace

Result<FileDescriptor> attach_xdp_pass(const std::string& interface) {
  const unsigned index = if_nametoindex(interface.c_str());
  if (index == 0) return fail_errno("XDP on " + interface, errno);
  const auto program = load_pass();
  if (!program) return fail(program.error());
  bpf_attr attributes{};
  attributes.link_create.prog_fd = static_cast<std::uint32_t>(program->get());
  attributes.link_create.target_ifindex = index;
  attributes.link_create.attach_type = BPF_XDP;
  attributes.link_create.flags = XDP_FLAGS_DRV_MODE;
  FileDescriptor link(bpf(BPF_LINK_CREATE, attributes));
  if (!link) return fail_errno("native XDP on " + interface, errno);
  return link;
}

}  // namespace penstock::lab
