#include "lab/state.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <sstream>

#include "lab/wait_until.hpp"

namespace penstock::lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* labs_folder = "/run/penstock-lab";
constexpr const char* lock_name = "lock";
constexpr std::chrono::milliseconds lock_time_max{60'000};  // another command's whole `up`
constexpr std::string_view supervisor_name = "supervisor";

// `down` removes the folder with the lock in it: a lock on a removed file locks nobody out.
bool is_still_at(const FileDescriptor& file, const std::string& path) {
  struct stat held{};
  struct stat there{};
  return fstat(file.get(), &held) == 0 && stat(path.c_str(), &there) == 0 && held.st_ino == there.st_ino;
}

std::string line_of(std::string_view name, const ProcessId& process) {
  return fmt::format("{} {} {}\n", name, process.pid, process.start_ticks);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

void load_processes(const std::string& text, LabState& state) {
  std::istringstream lines(text);
  NamedProcess read;
  while (lines >> read.name >> read.process.pid >> read.process.start_ticks) {
    if (read.name == supervisor_name) {
      state.supervisor = read.process;
    } else {
      state.hosts.push_back(read);
    }
  }
}

}  // namespace

Result<void> check_lab_name(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  if (!name.empty() && name.size() <= lab_name_size_max && name[0] != '.' && std::ranges::all_of(name, is_allowed))
    return {};
  return fail(
      ErrorCode::invalid_argument,
      fmt::format("'{}' is not a lab's name: letters, digits, '-', '_' and '.', at most {}", name, lab_name_size_max));
}

bool LabFolder::exists() const {
  std::error_code ignored;
  return fs::is_directory(path_, ignored);
}

Result<FileDescriptor> LabFolder::lock() const {
  const std::string path = path_ + "/" + lock_name;
  const Deadline deadline = in(lock_time_max);
  FileDescriptor file;
  const bool locked = wait_until(deadline, [&] {
    std::error_code ignored;
    fs::create_directories(path_, ignored);
    file = FileDescriptor(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    return file && flock(file.get(), LOCK_EX | LOCK_NB) == 0 && is_still_at(file, path);
  });
  if (locked) return file;
  if (!file) return fail_errno("opening " + path, errno);
  return fail(ErrorCode::busy, "another `penstock lab` is at work: " + path + " is locked", EBUSY);
}

LabState LabFolder::load() const {
  LabState state;
  if (const auto text = read_file(path_ + "/topology")) state.topology_text = *text;
  if (const auto text = read_file(path_ + "/topology-path")) state.topology_path = *text;
  if (const auto text = read_file(path_ + "/processes")) load_processes(*text, state);
  if (const auto text = read_file(path_ + "/urls")) state.urls = lines_of(*text);
  std::error_code ignored;
  state.extent = fs::exists(path_ + "/bare", ignored) ? Extent::bare : Extent::whole;
  state.ready = fs::exists(path_ + "/ready", ignored);
  return state;
}

Result<void> LabFolder::save_topology(const std::string& topology_path, const std::string& text, Extent extent) const {
  std::error_code error;
  fs::create_directories(staging(), error);
  if (error) return fail_errno("creating " + staging(), error.value());
  if (auto written = write_file(path_ + "/topology-path", topology_path); !written) return written;
  if (extent == Extent::bare) {
    if (auto written = write_file(path_ + "/bare", ""); !written) return written;
  }
  return write_file(path_ + "/topology", text);
}

Result<void> LabFolder::save_processes(const ProcessId& supervisor, const std::vector<NamedProcess>& hosts) const {
  std::string text = line_of(supervisor_name, supervisor);
  for (const NamedProcess& host : hosts) text += line_of(host.name, host.process);
  return write_file(path_ + "/processes", text);
}

Result<void> LabFolder::save_urls(const std::vector<std::string>& urls) const {
  return write_file(path_ + "/urls", fmt::format("{}\n", fmt::join(urls, "\n")));
}

Result<void> LabFolder::mark_ready() const { return write_file(path_ + "/ready", ""); }

Result<void> LabFolder::clear() const {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path_, error)) {
    if (entry.path().filename() != lock_name) fs::remove_all(entry.path(), error);
    if (error) return fail_errno("removing " + entry.path().string(), error.value());
  }
  if (error) return fail_errno("reading " + path_, error.value());
  return {};
}

Result<void> LabFolder::remove() const {
  // Aside first: who waits for the lock makes the folder anew, and must not do so inside the one that is being removed.
  const std::string aside = fmt::format("{}/.{}.{}", labs_folder, fs::path(path_).filename().string(), getpid());
  std::error_code error;
  fs::rename(path_, aside, error);
  if (!error) fs::remove_all(aside, error);
  if (error) return fail_errno("removing " + path_, error.value());
  fs::remove(labs_folder, error);  // only when it is empty
  return {};
}

}  // namespace penstock::lab
