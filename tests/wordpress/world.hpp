// A lab of a test's own, and commands on its hosts.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "lab/lab.hpp"

namespace penstock::wordpress {

[[nodiscard]] const lab::Project& project();

// Named after the running test; removes first what a killed predecessor left, and goes away with this object.
class World {
 public:
  World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  [[nodiscard]] Result<lab::UpReport> up(const std::string& topology_path) const;
  [[nodiscard]] Result<lab::UpReport> up_text(std::string_view topology) const;
  [[nodiscard]] const std::string& name() const { return name_; }

  // A line of shell on a host: its exit status (-1: not to be had) and all it said. It begins in the project's folder.
  [[nodiscard]] lab::Outcome on(std::string_view host, const std::string& line,
                                std::chrono::milliseconds time_max = std::chrono::seconds(30)) const;
  // The same for lines that must succeed: what they said, without the last newline.
  std::string said(std::string_view host, const std::string& line,
                   std::chrono::milliseconds time_max = std::chrono::seconds(30)) const;

 private:
  std::string name_;
};

// Why no lab of this kind can be had here; empty if it can. `programs`: what the hosts need beyond a lab itself.
[[nodiscard]] std::string reason_to_skip(const std::vector<std::string>& programs);

}  // namespace penstock::wordpress
