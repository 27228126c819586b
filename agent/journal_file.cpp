#include "agent/journal_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "agent/network_namespace.hpp"
#include "api/socket_path.hpp"

namespace penstock::agent {
namespace {

namespace fs = std::filesystem;

bool write_durably(const std::string& path, std::string_view text) {
  const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  return file.is_open() && write(file.fd(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
         fsync(file.fd()) == 0;
}

// A rename is on disk when its directory is.
bool sync_directory(const std::string& path) {
  const File directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return directory.is_open() && fsync(directory.fd()) == 0;
}

}  // namespace

Result<HostIdentity> own_identity() {
  std::string boot_id;
  if (!(std::ifstream("/proc/sys/kernel/random/boot_id") >> boot_id))
    return fail(ErrorCode::io, "reading /proc/sys/kernel/random/boot_id");
  const auto cookie = namespace_cookie();
  if (!cookie) return fail(cookie.error());
  return HostIdentity{.boot_id = std::move(boot_id), .network_namespace = std::to_string(*cookie)};
}

Result<JournalFile> JournalFile::open(const HostIdentity& identity, std::string directory) {
  if (directory.empty()) {
    auto usual = api::runtime_directory();
    if (!usual) return fail(std::move(usual.error()));
    directory = std::move(*usual);
  }
  std::error_code problem;
  fs::create_directories(directory, problem);
  if (problem) return fail_errno("creating " + directory, problem.value());
  const std::string path = directory + "/realserver.json";
  const std::string lock_path = directory + "/realserver.lock";
  File lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.is_open()) return fail_errno("opening " + lock_path, errno);
  if (flock(lock.fd(), LOCK_EX) != 0) return fail_errno("locking " + lock_path, errno);
  return JournalFile(path, identity, std::move(lock));
}

Result<std::optional<Journal>> JournalFile::load() const {
  std::ifstream file(path_);
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file) return fail_errno("reading " + path_, errno);
  auto journal = decode(std::string{std::istreambuf_iterator<char>(file), {}}, identity_);
  if (!journal) return with_context("reading " + path_, std::move(journal.error()));
  return journal;
}

Result<void> JournalFile::save(const Journal& journal) const {
  const std::string fresh = path_ + ".new";
  const bool saved = write_durably(fresh, encode(journal, identity_)) &&
                     std::rename(fresh.c_str(), path_.c_str()) == 0 && sync_directory(fs::path(path_).parent_path());
  if (!saved) return fail_errno("writing " + path_, errno);
  return {};
}

Result<void> JournalFile::remove() const {
  if (unlink(path_.c_str()) != 0 && errno != ENOENT) return fail_errno("removing " + path_, errno);
  return {};
}

}  // namespace penstock::agent
