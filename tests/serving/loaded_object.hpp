// One of the real server's BPF objects, loaded for a test: its maps filled, its programs run over single frames
// (BPF_PROG_TEST_RUN).
#pragma once

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "agent/bpf/configuration.hpp"

namespace penstock::serving {

using Bytes = std::vector<std::uint8_t>;

struct RunOutcome {
  std::uint32_t verdict = 0;
  Bytes frame;
};

// As the maps have it: IPv4 as ::ffff:a.b.c.d.
inline agent::AddressKey key_of(const std::string& address) {
  agent::AddressKey key{};
  const std::string text = address.find(':') == address.npos ? "::ffff:" + address : address;
  EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), key.words), 1) << address;
  return key;
}

class LoadedObject {
 public:
  LoadedObject(const unsigned char* begin, const unsigned char* end)
      : object_(bpf_object__open_mem(begin, static_cast<std::size_t>(end - begin), nullptr), bpf_object__close) {}

  template <typename Constants>
  void set(const Constants& constants) {
    bpf_map* map = bpf_object__find_map_by_name(object_.get(), ".rodata.config");
    ASSERT_EQ(bpf_map__set_initial_value(map, &constants, sizeof constants), 0);
  }

  void load() {
    ASSERT_NE(object_, nullptr);
    ASSERT_EQ(bpf_object__load(object_.get()), 0);
  }

  void add(const char* map, const std::string& address) const {
    const auto key = key_of(address);
    const std::uint8_t member = 1;
    ASSERT_EQ(bpf_map_update_elem(bpf_object__find_map_fd_by_name(object_.get(), map), &key, &member, BPF_ANY), 0);
  }

  [[nodiscard]] RunOutcome run(const char* program, const Bytes& frame) const {
    RunOutcome outcome{.verdict = 0, .frame = Bytes(frame.size() + 256)};
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = outcome.frame.data(),
                .data_size_in = static_cast<__u32>(frame.size()),
                .data_size_out = static_cast<__u32>(outcome.frame.size()));
    const bpf_program* loaded = bpf_object__find_program_by_name(object_.get(), program);
    EXPECT_EQ(bpf_prog_test_run_opts(bpf_program__fd(loaded), &options), 0) << program;
    outcome.verdict = options.retval;
    outcome.frame.resize(options.data_size_out);
    return outcome;
  }

 private:
  std::unique_ptr<bpf_object, decltype(&bpf_object__close)> object_;
};

}  // namespace penstock::serving
