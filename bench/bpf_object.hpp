// A BPF object that is loaded over the data plane's tables: the reference, the driver, the packet path of another build. It ends
// with the process; nothing is pinned or attached. A bench that can't be set up says why and exits.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "control/maps.hpp"

struct bpf_object;

namespace penstock::bench {

[[noreturn]] void give_up(std::string_view sentence);
[[noreturn]] void give_up(std::string_view tried, int errno_value);

template <typename T>
[[nodiscard]] T value_or_give_up(Result<T> result) {
  if (!result) give_up(result.error().message);
  return std::move(*result);
}

class BpfObject {
 public:
  BpfObject(std::string name, std::span<const unsigned char> elf);
  ~BpfObject();
  BpfObject(const BpfObject&) = delete;
  BpfObject& operator=(const BpfObject&) = delete;

  // Before load(). use() puts the data plane's tables in the place of maps that have their names, and their Config where it stands.
  void use(const control::Maps& maps);
  void resize(const char* map, u32 entries);
  void load();

  // After it.
  [[nodiscard]] int program(const char* name) const;
  [[nodiscard]] int map(const char* name) const;

 private:
  std::string name_;
  bpf_object* object_;
};

}  // namespace penstock::bench
