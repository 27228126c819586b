#include "control/runtime_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "control/permission.hpp"

namespace penstock::control {
namespace {

namespace fs = std::filesystem;

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<void> make_directory(const fs::path& path) {
  if (mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return fail_privileged("creating " + path.string(), errno);
}

Result<File> lock(const std::string& path) {
  File file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file.is_open()) return fail_privileged("opening " + path, errno);
  if (flock(file.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_errno("locking " + path, errno);
    return fail(ErrorCode::busy,
                fmt::format("penstockd already runs in this network namespace (process {})", content_of(path)), EBUSY);
  }
  const std::string own = std::to_string(getpid());
  if (ftruncate(file.fd(), 0) != 0 || write(file.fd(), own.data(), own.size()) < 0)
    return fail_errno("writing " + path, errno);
  return file;
}

// Cookies begin anew when the machine boots.
std::string identity_of(const NetworkNamespace& network_namespace) {
  return content_of("/proc/sys/kernel/random/boot_id") + std::to_string(network_namespace.cookie);
}

Result<void> put_strange_state_aside(const std::string& directory, const NetworkNamespace& network_namespace,
                                     const Log& log) {
  const std::string identity_path = directory + "/namespace";
  const std::string state_path = directory + "/state.json";
  const std::string own = identity_of(network_namespace);
  const std::string known = content_of(identity_path);
  if (known == own) return {};
  std::error_code problem;
  if (!known.empty() && fs::exists(state_path, problem)) {
    fs::rename(state_path, state_path + ".old", problem);
    if (problem) return fail_errno("putting aside " + state_path, problem.value());
    log.warn(
        fmt::format("services of an earlier network namespace of the same number: put aside as {}.old", state_path));
  }
  std::ofstream file(identity_path, std::ios::trunc);
  if (!(file << own)) return fail_errno("writing " + identity_path, EIO);
  return {};
}

}  // namespace

Result<RuntimeDirectory> RuntimeDirectory::claim(const std::string& path, const NetworkNamespace& network_namespace,
                                                 const Log& log) {
  if (auto made = make_directory(fs::path(path).parent_path()); !made) return fail(made.error());
  if (auto made = make_directory(path); !made) return fail(made.error());
  auto locked = lock(path + "/lock");
  if (!locked) return fail(locked.error());
  if (auto clean = put_strange_state_aside(path, network_namespace, log); !clean) return fail(clean.error());
  return RuntimeDirectory(path, std::move(*locked));
}

}  // namespace penstock::control
