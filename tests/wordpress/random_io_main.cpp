// random_io FILE SEED STEPS: reads, writes, truncates and reopens FILE at random, and compares all that it sees with a model in memory.
// Says at which step they differ.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

namespace {

constexpr std::size_t file_size_max = 1 << 20;
constexpr std::size_t transfer_size_max = 200'000;  // more than one request holds

class Exercise {
 public:
  Exercise(const char* path, std::uint32_t seed) : path_(path), random_(seed) { reopen(O_CREAT | O_TRUNC); }
  ~Exercise() { close(fd_); }
  Exercise(const Exercise&) = delete;
  Exercise& operator=(const Exercise&) = delete;

  void step() {
    switch (below(8)) {
      case 0:
        return truncate();
      case 1:
        return reopen(0);
      case 2:
        return check_size();
      case 3:
      case 4:
        return write();
      default:
        return read(below(file_size_max), below(transfer_size_max));
    }
  }

  void read_all() { read(0, file_size_max); }

  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }

  void fail(std::string what) {
    if (failure_.empty()) failure_ = std::move(what);
  }

  void fail_errno(const char* call) { fail(fmt::format("{}: {}", call, std::strerror(errno))); }

  void reopen(int flags) {
    if (fd_ >= 0 && close(fd_) != 0) fail_errno("close");
    fd_ = open(path_, O_RDWR | flags, 0644);
    if (fd_ < 0) fail_errno("open");
  }

  void truncate() {
    const std::size_t size = below(file_size_max);
    model_.resize(size);
    if (ftruncate(fd_, static_cast<off_t>(size)) != 0) fail_errno("ftruncate");
  }

  void check_size() {
    struct stat status{};
    if (fstat(fd_, &status) != 0) return fail_errno("fstat");
    if (status.st_size != static_cast<off_t>(model_.size())) {
      fail(fmt::format("fstat: {} bytes, not {}", status.st_size, model_.size()));
    }
  }

  void write() {
    const std::size_t offset = below(file_size_max);
    std::string bytes(1 + below(transfer_size_max), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    model_.resize(std::max(model_.size(), offset + bytes.size()));
    model_.replace(offset, bytes.size(), bytes);
    if (pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset)) != static_cast<ssize_t>(bytes.size())) {
      fail_errno("pwrite");
    }
  }

  void read(std::size_t offset, std::size_t size) {
    std::string bytes(size, '\0');
    const ssize_t count = pread(fd_, bytes.data(), size, static_cast<off_t>(offset));
    if (count < 0) return fail_errno("pread");
    bytes.resize(static_cast<std::size_t>(count));
    const std::string expected = offset < model_.size() ? model_.substr(offset, size) : "";
    if (bytes.size() != expected.size()) {
      fail(fmt::format("pread of {} at {}: {} bytes, not {}", size, offset, bytes.size(), expected.size()));
    }
    if (bytes != expected) fail(fmt::format("pread of {} at {}: other bytes", size, offset));
  }

  const char* path_;
  std::mt19937 random_;
  std::string model_;
  std::string failure_;
  int fd_ = -1;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: random_io FILE SEED STEPS\n");
    return 2;
  }
  Exercise exercise(argv[1], static_cast<std::uint32_t>(std::atol(argv[2])));
  const long steps = std::atol(argv[3]);
  for (long i = 0; i < steps && exercise.failure().empty(); ++i) {
    exercise.step();
    if (!exercise.failure().empty()) fmt::print(stderr, "step {}: {}\n", i, exercise.failure());
  }
  exercise.read_all();
  if (!exercise.failure().empty()) return 1;
  fmt::print("{} steps agree with the model\n", steps);
  return 0;
}
