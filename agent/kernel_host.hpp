// The host itself: sysctls, rtnetlink and BPF of the calling process's network namespace.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "agent/bpf_programs.hpp"
#include "agent/host.hpp"
#include "agent/netlink.hpp"
#include "agent/plan.hpp"

namespace penstock::agent {

[[nodiscard]] Result<Facts> read_facts(Netlink& netlink);

class KernelHost : public Host {
 public:
  KernelHost(Netlink& netlink, ProgramConfig config)
      : netlink_(netlink), cgroup_(config.cgroup), programs_(std::move(config)) {}

  [[nodiscard]] Result<std::string> read(const Setting& setting) override;
  [[nodiscard]] Result<void> write(const Setting& setting, const std::string& value) override;
  [[nodiscard]] Result<std::string> load(const std::string& program) override { return programs_.load(program); }

 private:
  Result<void> write_address(const Setting& setting, const std::string& value);
  Result<void> write_route(const Setting& setting, const std::string& value);
  Result<void> write_clsact(std::uint32_t interface, const std::string& value);

  Netlink& netlink_;
  std::string cgroup_;
  BpfPrograms programs_;
};

}  // namespace penstock::agent
