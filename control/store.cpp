#include "control/store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

namespace penstock::control {
namespace {

class File {
 public:
  File(const std::string& path, int flags, mode_t mode = 0) : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

// False: errno says why.
bool read_all(int fd, std::string& into) {
  char chunk[65536];
  for (;;) {
    const ssize_t got = ::read(fd, chunk, sizeof chunk);
    if (got == 0) return true;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    into.append(chunk, static_cast<std::size_t>(got));
  }
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool write_file(const std::string& path, std::string_view text) {
  const File file(path, O_WRONLY | O_CREAT | O_TRUNC, S_IRUSR | S_IWUSR);
  return file.is_open() && write_all(file.fd(), text) && ::fsync(file.fd()) == 0;
}

// The rename itself is on disk when its directory is.
bool sync_directory(const std::string& path) {
  const File directory(path, O_RDONLY | O_DIRECTORY);
  return directory.is_open() && ::fsync(directory.fd()) == 0;
}

}  // namespace

Result<std::optional<StoredState>> Store::load() const {
  const File file(path_, O_RDONLY);
  if (!file.is_open() && errno == ENOENT) return std::nullopt;
  std::string text;
  if (!file.is_open() || !read_all(file.fd(), text)) return fail_errno("reading " + path_, errno);
  auto state = decode(text);
  if (!state) return with_context("reading " + path_, state.error());
  return std::move(*state);
}

Result<void> Store::save(const StoredState& state) const {
  const std::string beside = path_ + ".new";
  if (!write_file(beside, encode(state))) return fail_errno("writing " + beside, errno);
  if (std::rename(beside.c_str(), path_.c_str()) != 0) return fail_errno("replacing " + path_, errno);
  if (!sync_directory(directory_of(path_))) return fail_errno("syncing the directory of " + path_, errno);
  return {};
}

}  // namespace penstock::control
