#include "lab/project.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

namespace penstock::lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* system_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string topologies_of(const std::string& root) { return root + "/lab/topologies"; }

std::string find_root(fs::path folder) {
  for (; folder.has_relative_path(); folder = folder.parent_path()) {
    std::error_code ignored;
    for (const fs::path& root : {folder, folder / "share" / "penstock"}) {
      if (fs::is_directory(topologies_of(root), ignored)) return root;
    }
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

std::vector<std::string> topology_names(const Project& project) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(topologies_of(project.root), error)) {
    if (entry.path().extension() == ".conf") names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

Result<std::string> topology_path(const Project& project, const std::string& name) {
  if (name.find('/') != name.npos) return name;
  const std::vector<std::string> names = topology_names(project);
  if (std::ranges::find(names, name) != names.end()) return topologies_of(project.root) + "/" + name + ".conf";
  return fail(ErrorCode::not_found,
              fmt::format("there is no topology '{}', but {}; a file of your own is given by a path with a /", name,
                          fmt::join(names, ", ")));
}

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
