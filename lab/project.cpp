#include "lab/project.hpp"

#include <filesystem>

namespace penstock::lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* system_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string find_root(fs::path folder) {
  for (; folder.has_relative_path(); folder = folder.parent_path()) {
    std::error_code ignored;
    if (fs::is_directory(folder / "lab" / "topologies", ignored)) return folder;
  }
  return "";
}

}  // namespace

Result<Project> find_project() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return fail_errno("reading /proc/self/exe", error.value());
  Project project{.root = find_root(program.parent_path()), .bin = program.parent_path()};
  if (project.root.empty()) project.root = find_root(fs::current_path(error));
  if (project.root.empty()) {
    return fail(ErrorCode::not_found,
                "no folder with lab/topologies above " + project.bin + " or the working directory");
  }
  return project;
}

std::string default_topology_path(const Project& project) { return project.root + "/lab/topologies/dr.conf"; }

std::vector<std::string> host_environment(const Project& project, const std::string& terminal) {
  std::vector<std::string> environment{"PATH=" + project.bin + ":" + system_path,
                                       "HOME=/root",
                                       "USER=root",
                                       "LOGNAME=root",
                                       "SHELL=/bin/bash",
                                       "LANG=C.UTF-8"};
  if (!terminal.empty()) environment.push_back("TERM=" + terminal);
  return environment;
}

std::vector<std::string> tool_environment() { return {std::string("PATH=") + system_path, "LANG=C.UTF-8"}; }

}  // namespace penstock::lab
