#include "lab/services.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <iterator>
#include <sstream>

#include "api/client.hpp"
#include "lab/process.hpp"
#include "lab/wait_until.hpp"

namespace penstock::lab {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr const char* web_root = "/srv/www";
constexpr milliseconds setup_time_max = 50s;  // a database or a web server may wait for another host's service
constexpr milliseconds nginx_start_time_max = 5s;
constexpr milliseconds daemon_start_time_max = 10s;  // penstockd loads and verifies its programs first

// Not zeros: what a checksum or a comparison of /bulk says should mean something.
Result<void> write_bulk(const std::string& path, std::uint64_t size) {
  constexpr std::size_t block_size = 65536;
  std::string block;
  block.reserve(block_size);
  for (std::uint32_t x = 1; block.size() < block_size; x = x * 1664525 + 1013904223)
    block += static_cast<char>(x >> 24);
  const FileDescriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return fail_errno("writing " + path, errno);
  for (std::uint64_t left = size; left > 0;) {
    const ssize_t written = ::write(file.get(), block.data(), std::min<std::uint64_t>(left, block.size()));
    if (written < 0) return fail_errno("writing " + path, errno);
    left -= static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<void> write_site(const Host& host) {
  const std::string root = web_root;
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) return fail_errno("creating " + root, error.value());
  if (auto written = write_file(root + "/index.html", *host.page + "\n"); !written) return written;
  if (host.bulk_bytes != 0) {
    if (auto written = write_bulk(root + "/bulk", host.bulk_bytes); !written) return written;
  }
  const bool with_ipv6 = access("/proc/sys/net/ipv6", F_OK) == 0;
  return write_file("/etc/nginx/nginx.conf", nginx_configuration(host, with_ipv6));
}

// nginx goes into the background only once its sockets listen.
Result<void> start_nginx(const Host& host, const std::vector<std::string>& environment) {
  if (auto written = write_site(host); !written) return written;
  auto started = run_successfully({.argv = {"nginx"},
                                   .environment = environment,
                                   .input = "",
                                   .output = Output::inherited,
                                   .time_max = nginx_start_time_max});
  if (!started) return with_context("starting nginx", std::move(started.error()));
  return {};
}

Result<void> run_setup(const std::string& line, const std::vector<std::string>& environment) {
  auto done = run_successfully(
      {.argv = {"/bin/sh", "-c", line}, .environment = environment, .input = "", .time_max = setup_time_max});
  if (!done) return fail(std::move(done.error()));
  return {};
}

std::vector<std::string> split_words(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

pid_t start_daemon(const std::vector<std::string>& argv, const std::vector<std::string>& environment) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  setsid();
  _exit(execute(argv, environment));
}

// Answers come only once its data plane is loaded and attached.
bool penstockd_answers() {
  const auto director = api::connect();
  return director && (*director)->info();
}

Result<void> wait_for_penstockd(pid_t pid) {
  int status = 0;
  bool ended = false;
  const bool answers = wait_until(in(daemon_start_time_max), [&] {
    ended = waitpid(pid, &status, WNOHANG) == pid;
    return ended || penstockd_answers();
  });
  if (ended) return fail(ErrorCode::unavailable, fmt::format("penstockd ended with status {}", exit_status_of(status)));
  if (!answers) {
    return fail(ErrorCode::unavailable,
                fmt::format("penstockd does not answer after {} ms", daemon_start_time_max.count()));
  }
  return {};
}

}  // namespace

std::string nginx_configuration(const Host& host, bool with_ipv6) {
  std::string listens;
  for (const std::uint16_t port : host.ports) {
    listens += fmt::format("    listen {} backlog=4096;\n", port);
    if (with_ipv6) listens += fmt::format("    listen [::]:{} backlog=4096;\n", port);
  }
  return fmt::format(R"(user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  default_type text/plain;
  sendfile on;
  keepalive_timeout 65;
  keepalive_requests 1000000000;
  open_file_cache max=16;
  server {{
{}    server_name _;
    root {};
    index index.html;
    add_header X-Lab-Host {} always;
  }}
}}
)",
                     listens, web_root, host.name);
}

Result<std::vector<std::string>> start_services(const Host& host, const std::vector<std::string>& environment) {
  for (const std::string& line : host.setups) {
    if (auto done = run_setup(line, environment); !done) return fail(std::move(done.error()));
  }
  if (host.page) {
    if (auto started = start_nginx(host, environment); !started) return fail(std::move(started.error()));
  }
  std::vector<std::string> notes;
  for (const std::string& line : host.daemons) {
    const std::vector<std::string> argv = split_words(line);
    if (find_program(argv[0], environment).empty()) {
      notes.push_back(fmt::format("{}: {} is not built or installed: not started", host.name, argv[0]));
      continue;
    }
    const pid_t pid = start_daemon(argv, environment);
    if (pid < 0) return fail_errno("fork for " + argv[0], errno);
    if (std::filesystem::path(argv[0]).filename() != "penstockd") continue;
    if (auto answers = wait_for_penstockd(pid); !answers) return fail(std::move(answers.error()));
  }
  return notes;
}

}  // namespace penstock::lab
