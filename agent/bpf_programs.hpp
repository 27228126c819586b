// The programs of a real server in the kernel: loaded by name with what they are told, and found again by number.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "agent/plan.hpp"
#include "base/file.hpp"
#include "base/result.hpp"

struct bpf_object;

namespace penstock::agent {

class BpfPrograms {
 public:
  explicit BpfPrograms(ProgramConfig config) : config_(std::move(config)) {}
  BpfPrograms(const BpfPrograms&) = delete;
  BpfPrograms& operator=(const BpfPrograms&) = delete;
  ~BpfPrograms();

  // "pen_decap_xdp 57". Programs of one object (they share maps) are loaded together, once; they stay while this object lives or
  // they are attached.
  [[nodiscard]] Result<std::string> load(const std::string& program);

 private:
  [[nodiscard]] Result<bpf_object*> object_with(const std::string& program);

  ProgramConfig config_;
  std::map<std::string, bpf_object*> objects_;  // by their names
};

// A program by its value's number, to attach it.
[[nodiscard]] Result<File> open_program(const std::string& value);
[[nodiscard]] Result<std::string> value_of(std::uint32_t number);

}  // namespace penstock::agent
