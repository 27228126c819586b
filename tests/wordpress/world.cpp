#include "tests/wordpress/world.hpp"

#include <filesystem>

#include "lab/requirements.hpp"

namespace penstock::wordpress {

using lab::Outcome;
using lab::Project;

const Project& project() {
  static const Project instance = lab::find_project().value();
  return instance;
}

World::World() : name_(std::string("wp-") + testing::UnitTest::GetInstance()->current_test_info()->name()) {
  name_.resize(std::min(name_.size(), lab::lab_name_size_max));
  EXPECT_TRUE(lab::down(name_)) << "removing what an earlier run left";
}

World::~World() {
  EXPECT_TRUE(lab::down(name_));
  EXPECT_FALSE(lab::LabFolder(name_).exists());
}

Result<lab::UpReport> World::up(const std::string& topology_path) const {
  return lab::up({.name = name_, .topology_path = topology_path, .project = project()});
}

Result<lab::UpReport> World::up_text(std::string_view topology) const {
  const std::string path = std::filesystem::temp_directory_path() / (name_ + ".conf");
  if (auto written = lab::write_file(path, topology); !written) return fail(std::move(written.error()));
  auto report = up(path);
  std::filesystem::remove(path);
  return report;
}

Outcome World::on(std::string_view host, const std::string& line, std::chrono::milliseconds time_max) const {
  auto entry = lab::entry_to(name_, host, project(), "", {"/bin/bash", "-c", line});
  if (!entry) return {.exit_status = -1, .output = entry.error().message};
  entry->working_folder = project().root;
  auto outcome = lab::run_inside(*entry, time_max);
  return outcome ? *outcome : Outcome{.exit_status = -1, .output = outcome.error().message};
}

std::string World::said(std::string_view host, const std::string& line, std::chrono::milliseconds time_max) const {
  Outcome outcome = on(host, line, time_max);
  EXPECT_EQ(outcome.exit_status, 0) << "on " << host << ": " << line << ": " << outcome.output;
  while (outcome.output.ends_with('\n')) outcome.output.pop_back();
  return outcome.output;
}

std::string reason_to_skip(const std::vector<std::string>& programs) {
  for (const lab::Requirement& requirement : lab::check_requirements(project())) {
    if (requirement.is_needed && !requirement.is_met) {
      return "SKIPPED: no lab here, for want of " + requirement.name + ": " + requirement.remark;
    }
  }
  for (const std::string& program : programs) {
    if (lab::find_program(program, lab::host_environment(project(), "")).empty()) {
      return "SKIPPED: " + program + " is not there; `penstock lab check` says which packages are missing";
    }
  }
  return "";
}

}  // namespace penstock::wordpress
