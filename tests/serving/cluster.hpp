// A lab of a test's own, driven as people drive it: by penstock-lab and commands on its hosts.
#pragma once

#include <chrono>
#include <string>

#include "base/result.hpp"
#include "lab/process.hpp"

namespace penstock::serving {

struct Place {
  std::string programs;    // bin/ of the build
  std::string topologies;  // lab/topologies
};

class Cluster {
 public:
  Cluster(const Place& place, std::string name);
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  ~Cluster();  // takes it down

  // nat: nat.conf, without its configuration, which tests make themselves.
  [[nodiscard]] Result<void> up(const std::string& topology);
  // A line of shell on a host: its exit status and all it said. Daemons that it leaves behind end with the lab.
  [[nodiscard]] lab::Outcome on(const std::string& host, const std::string& line,
                                std::chrono::milliseconds time_max = std::chrono::seconds(30)) const;
  // What the host's own daemons said: for a test that fails.
  [[nodiscard]] std::string log_of(const std::string& host) const;

 private:
  [[nodiscard]] lab::Outcome call(std::vector<std::string> words, std::chrono::milliseconds time_max) const;

  Place place_;
  std::string name_;
};

}  // namespace penstock::serving
