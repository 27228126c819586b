#include "lab/nfs/server.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>

namespace penstock::lab {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto mount_time_max = 5s;
constexpr auto rest_after_failure = 50ms;
constexpr int poll_time_ms = 100;

// What a callback leaves for the one who waits.
template <typename Answer>
struct Outcome {
  bool is_done = false;
  bool is_good = false;  // the RPC as such
  Answer answer{};
  void (*take)(Answer&, const void*) = nullptr;
};

template <typename Answer>
void note_outcome(rpc_context*, int status, void* data, void* outcome_of_caller) {
  auto& outcome = *static_cast<Outcome<Answer>*>(outcome_of_caller);
  outcome.is_done = true;
  outcome.is_good = status == RPC_STATUS_SUCCESS;
  if (outcome.is_good && outcome.take != nullptr) outcome.take(outcome.answer, data);
}

template <typename Answer>
Result<Answer> wait_for(rpc_context* rpc, const Outcome<Answer>& outcome, const std::string& what) {
  const auto deadline = Clock::now() + mount_time_max;
  while (!outcome.is_done) {
    if (Clock::now() > deadline) return fail(ErrorCode::unavailable, what + ": no answer", ETIMEDOUT);
    pollfd socket{.fd = rpc_get_fd(rpc), .events = static_cast<short>(rpc_which_events(rpc)), .revents = 0};
    if (poll(&socket, 1, poll_time_ms) > 0 && rpc_service(rpc, socket.revents) < 0) break;
  }
  if (!outcome.is_good) {
    const char* error = rpc_get_error(rpc);
    return fail(ErrorCode::unavailable, fmt::format("{}: {}", what, error ? error : "no connection"), ECONNREFUSED);
  }
  return outcome.answer;
}

Result<void> connect_to(rpc_context* rpc, const std::string& host, int program, int version) {
  const std::string what = fmt::format("connecting to {}'s RPC program {}", host, program);
  Outcome<int> outcome;
  if (rpc_connect_program_async(rpc, host.c_str(), program, version, note_outcome<int>, &outcome) != 0) {
    return fail(ErrorCode::unavailable, fmt::format("{}: {}", what, rpc_get_error(rpc)), ECONNREFUSED);
  }
  const auto connected = wait_for(rpc, outcome, what);
  if (!connected) return fail(connected.error());
  return {};
}

struct MountAnswer {
  mountstat3 status = MNT3_OK;
  std::string handle;
};

void take_mount_answer(MountAnswer& answer, const void* data) {
  const auto& reply = *static_cast<const mountres3*>(data);
  answer.status = reply.fhs_status;
  if (reply.fhs_status != MNT3_OK) return;
  const fhandle3& handle = reply.mountres3_u.mountinfo.fhandle;
  answer.handle.assign(handle.fhandle3_val, handle.fhandle3_len);
}

struct Limits {
  nfsstat3 status = NFS3_OK;
  std::uint32_t read_size = 0;
  std::uint32_t write_size = 0;
};

void take_limits(Limits& limits, const void* data) {
  const auto& reply = *static_cast<const FSINFO3res*>(data);
  limits.status = reply.status;
  if (reply.status != NFS3_OK) return;
  limits.read_size = reply.FSINFO3res_u.resok.rtmax;
  limits.write_size = reply.FSINFO3res_u.resok.wtmax;
}

}  // namespace

Result<Server> Server::connect(const Export& wanted) {
  Server server;
  if (auto mounted = server.mount(wanted); !mounted) return fail(std::move(mounted.error()));
  if (auto connected = connect_to(server.rpc_.get(), wanted.host, NFS_PROGRAM, NFS_V3); !connected) {
    return fail(std::move(connected.error()));
  }
  rpc_set_autoreconnect(server.rpc_.get(), -1);
  if (auto learnt = server.learn_limits(); !learnt) return fail(std::move(learnt.error()));
  return server;
}

// The mount daemon has a port of its own, so this takes a connection of its own.
Result<void> Server::mount(const Export& wanted) {
  const RpcContext rpc(rpc_init_context());
  if (auto connected = connect_to(rpc.get(), wanted.host, MOUNT_PROGRAM, MOUNT_V3); !connected) return connected;
  const std::string what = fmt::format("mounting {}:{}", wanted.host, wanted.path);
  Outcome<MountAnswer> outcome{.take = take_mount_answer};
  std::string path = wanted.path;
  if (rpc_mount3_mnt_async(rpc.get(), note_outcome<MountAnswer>, path.data(), &outcome) != 0) {
    return fail(ErrorCode::unavailable, fmt::format("{}: {}", what, rpc_get_error(rpc.get())), EIO);
  }
  auto answer = wait_for(rpc.get(), outcome, what);
  if (!answer) return fail(std::move(answer.error()));
  if (answer->status != MNT3_OK) {
    const int reason = -mountstat3_to_errno(answer->status);
    return fail_errno(what + ": the server refuses", reason);
  }
  root_handle_ = std::move(answer->handle);
  return {};
}

Result<void> Server::learn_limits() {
  Outcome<Limits> outcome{.take = take_limits};
  FSINFO3args arguments{};
  arguments.fsroot.data = {.data_len = static_cast<u_int>(root_handle_.size()), .data_val = root_handle_.data()};
  if (rpc_nfs3_fsinfo_async(rpc_.get(), note_outcome<Limits>, &arguments, &outcome) != 0) {
    return fail(ErrorCode::unavailable, fmt::format("FSINFO: {}", rpc_get_error(rpc_.get())), EIO);
  }
  const auto limits = wait_for(rpc_.get(), outcome, "FSINFO");
  if (!limits) return fail(limits.error());
  if (limits->status != NFS3_OK) return fail_errno("FSINFO", -nfsstat3_to_errno(limits->status));
  read_size_max_ = limits->read_size;
  write_size_max_ = limits->write_size;
  return {};
}

rpc_context* Server::as(uid_t user, gid_t group) {
  rpc_set_uid(rpc_.get(), static_cast<int>(user));
  rpc_set_gid(rpc_.get(), static_cast<int>(group));
  return rpc_.get();
}

int Server::descriptor() const { return Clock::now() < rests_until_ ? -1 : rpc_get_fd(rpc_.get()); }

void Server::service(short events) {
  const bool has_failed = (events & (POLLERR | POLLHUP)) != 0;
  if (rpc_service(rpc_.get(), events) < 0 || has_failed) rests_until_ = Clock::now() + rest_after_failure;
}

}  // namespace penstock::lab
