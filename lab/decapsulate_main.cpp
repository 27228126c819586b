// decapsulate INTERFACE: from now on tunnel packets (IPIP, GRE, GUE on port 6080) that arrive there lose their outer headers
// (decapsulate.bpf.cpp). For real servers on kernels without tunnel devices. The program stays when this one ends: its link is
// pinned in /sys/fs/bpf, and in a lab's host it goes with the host.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <net/if.h>

#include <cerrno>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "lab/decapsulate_object.hpp"

namespace penstock::lab {
namespace {

using Object = std::unique_ptr<bpf_object, decltype(&bpf_object__close)>;
using Link = std::unique_ptr<bpf_link, decltype(&bpf_link__destroy)>;

Result<Object> load() {
  const auto* begin = penstock_decapsulate_bpf_begin;
  const auto size = static_cast<std::size_t>(penstock_decapsulate_bpf_end - begin);
  Object object(bpf_object__open_mem(begin, size, nullptr), bpf_object__close);
  if (!object) return fail_errno("reading the BPF object", errno);
  if (bpf_object__load(object.get()) != 0) return fail_errno("loading the BPF object", errno);
  return object;
}

Result<void> attach(const std::string& interface) {
  const unsigned index = if_nametoindex(interface.c_str());
  if (index == 0) return fail_errno(interface, errno);
  const auto object = load();
  if (!object) return fail(object.error());
  const bpf_program* program = bpf_object__find_program_by_name(object->get(), "decapsulate");
  const Link link(bpf_program__attach_xdp(program, static_cast<int>(index)), bpf_link__destroy);
  if (!link) return fail_errno("attaching to " + interface, errno);
  const std::string pin = "/sys/fs/bpf/decapsulate_" + interface;
  if (bpf_link__pin(link.get(), pin.c_str()) != 0) return fail_errno("pinning " + pin, errno);
  return {};
}

}  // namespace
}  // namespace penstock::lab

int main(int count, char** words) {
  if (count != 2) {
    fmt::print(stderr, "usage: decapsulate INTERFACE\n");
    return 2;
  }
  if (const auto attached = penstock::lab::attach(words[1]); !attached) {
    fmt::print(stderr, "decapsulate: {}\n", attached.error().message);
    return 1;
  }
}
