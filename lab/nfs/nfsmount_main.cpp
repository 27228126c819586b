// nfsmount SERVER:/PATH FOLDER: mounts an NFSv3 export through FUSE, for kernels without an NFS client.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lab/nfs/file_system.hpp"

namespace penstock::lab {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int tick_ms = 100;  // how late an interrupted request or a resting connection is seen

constexpr const char* usage = R"(usage: nfsmount [-f] SERVER:/PATH FOLDER

Mounts an NFS export (version 3, TCP) with FUSE, returns once it is mounted and serves it in the background; -f stays in the foreground.
umount FOLDER ends it.
)";

struct Arguments {
  Export source;
  std::string folder;
  bool stays_in_foreground = false;
};

std::optional<Export> parse_source(std::string_view text) {
  const std::size_t colon = text.find(":/");
  if (colon == text.npos || colon == 0) return std::nullopt;
  return Export{.host = std::string(text.substr(0, colon)), .path = std::string(text.substr(colon + 1))};
}

std::optional<Arguments> parse_arguments(int argc, char** argv) {
  Arguments arguments;
  for (int option; (option = getopt(argc, argv, "f")) != -1;) {
    if (option != 'f') return std::nullopt;
    arguments.stays_in_foreground = true;
  }
  if (argc - optind != 2) return std::nullopt;
  const auto source = parse_source(argv[optind]);
  if (!source) return std::nullopt;
  arguments.source = *source;
  arguments.folder = argv[optind + 1];
  return arguments;
}

struct EndSession {
  void operator()(fuse_session* session) const {
    fuse_session_unmount(session);
    fuse_session_destroy(session);
  }
};
using Session = std::unique_ptr<fuse_session, EndSession>;

// Mounted as SERVER:/PATH of type fuse.nfs, for all users: who may do what is the server's decision.
Result<Session> mount(const Arguments& arguments, FileSystem& file_system) {
  const std::uint32_t read_size = std::min(transfer_size_max, file_system.server.read_size_max());
  std::string options = fmt::format("allow_other,subtype=nfs,fsname={}:{},max_read={}", arguments.source.host,
                                    arguments.source.path, read_size);
  std::array<char*, 3> words{const_cast<char*>("nfsmount"), const_cast<char*>("-o"), options.data()};
  fuse_args words_of_fuse{.argc = static_cast<int>(words.size()), .argv = words.data(), .allocated = 0};
  const fuse_lowlevel_ops& operations = file_system_operations();
  Session session(fuse_session_new(&words_of_fuse, &operations, sizeof operations, &file_system));
  fuse_opt_free_args(&words_of_fuse);
  if (!session || fuse_session_mount(session.get(), arguments.folder.c_str()) != 0) {
    return fail(ErrorCode::io, fmt::format("mounting on {} failed, see above", arguments.folder));
  }
  return session;
}

class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { free(buffer_.mem); }
  fuse_buf* get() { return &buffer_; }

 private:
  fuse_buf buffer_{};
};

void serve(FileSystem& file_system) {
  fuse_session* session = file_system.session;
  Buffer buffer;
  while (!fuse_session_exited(session)) {
    std::array<pollfd, 2> ready{{
        {.fd = fuse_session_fd(session), .events = POLLIN, .revents = 0},
        {.fd = file_system.server.descriptor(), .events = file_system.server.events(), .revents = 0},
    }};
    poll(ready.data(), ready.size(), file_system.waiting.empty() ? -1 : tick_ms);
    if (ready[0].revents != 0) {
      const int size = fuse_session_receive_buf(session, buffer.get());
      if (size > 0) fuse_session_process_buf(session, buffer.get());
      if (size == 0) return;  // unmounted
    }
    if (ready[1].revents != 0) file_system.server.service(ready[1].revents);
    file_system.waiting.give_up_interrupted(WaitingRequests::Clock::now());
  }
}

Result<void> run(const Arguments& arguments) {
  auto server = Server::connect(arguments.source);
  if (!server) return fail(std::move(server.error()));
  std::string root = server->root_handle();
  FileSystem file_system{.server = std::move(*server), .nodes = NodeTable(std::move(root))};
  const auto session = mount(arguments, file_system);
  if (!session) return fail(session.error());
  file_system.session = session->get();
  if (fuse_daemonize(arguments.stays_in_foreground ? 1 : 0) != 0 || fuse_set_signal_handlers(session->get()) != 0) {
    return fail(ErrorCode::io, "going into the background failed");
  }
  serve(file_system);
  fuse_remove_signal_handlers(session->get());
  return {};
}

}  // namespace
}  // namespace penstock::lab

int main(int argc, char** argv) {
  using namespace penstock::lab;
  const auto arguments = parse_arguments(argc, argv);
  if (!arguments) {
    fmt::print(stderr, "{}", usage);
    return exit_usage;
  }
  const auto done = run(*arguments);
  if (done) return 0;
  fmt::print(stderr, "nfsmount: {}\n", done.error().message);
  return exit_failed;
}
