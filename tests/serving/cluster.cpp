#include "tests/serving/cluster.hpp"

#include "lab/project.hpp"

namespace penstock::serving {

using namespace std::chrono_literals;

Cluster::Cluster(const Place& place, std::string name) : place_(place), name_(std::move(name)) {}

Cluster::~Cluster() { (void)call({"down"}, 30s); }

Result<void> Cluster::up(const std::string& topology) {
  const lab::Outcome outcome = call({"up", "--bare", place_.topologies + "/" + topology + ".conf"}, 100s);
  if (outcome.exit_status != 0) return fail(ErrorCode::unavailable, outcome.output);
  return {};
}

lab::Outcome Cluster::on(const std::string& host, const std::string& line, std::chrono::milliseconds time_max) const {
  return call({"exec", host, "sh", "-c", line}, time_max);
}

std::string Cluster::log_of(const std::string& host) const { return call({"logs", host}, 10s).output; }

lab::Outcome Cluster::call(std::vector<std::string> words, std::chrono::milliseconds time_max) const {
  words.insert(words.begin(), {place_.programs + "/penstock-lab", "--name", name_});
  auto outcome =
      lab::run({.argv = std::move(words), .environment = lab::tool_environment(), .input = "", .time_max = time_max});
  return outcome ? *outcome : lab::Outcome{.exit_status = -1, .output = outcome.error().message};
}

}  // namespace penstock::serving
