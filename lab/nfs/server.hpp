// The connection to an NFSv3 server. Calls are sent and answered from `service`, so one thread does all.
//
// Like a kernel's hard mount: when the server goes away, calls wait, and are sent again when it is back (libnfs does that).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "lab/nfs/libnfs.hpp"

namespace penstock::lab {

struct Export {
  std::string host;
  std::string path;
};

struct DestroyRpcContext {
  void operator()(rpc_context* rpc) const { rpc_destroy_context(rpc); }
};
using RpcContext = std::unique_ptr<rpc_context, DestroyRpcContext>;

class Server {
 public:
  // Asks the server's portmapper and mount daemon; may take some seconds and no longer.
  [[nodiscard]] static Result<Server> connect(const Export& wanted);

  [[nodiscard]] const std::string& root_handle() const { return root_handle_; }
  [[nodiscard]] std::uint32_t read_size_max() const { return read_size_max_; }    // bytes a call
  [[nodiscard]] std::uint32_t write_size_max() const { return write_size_max_; }  // bytes a call

  // For a call in the name of that user (AUTH_SYS, without supplementary groups).
  [[nodiscard]] rpc_context* as(uid_t user, gid_t group);

  // What to poll for now: -1 as long as there is no use in asking.
  [[nodiscard]] int descriptor() const;
  [[nodiscard]] short events() const { return static_cast<short>(rpc_which_events(rpc_.get())); }
  void service(short events);

 private:
  using Clock = std::chrono::steady_clock;

  Server() : rpc_(rpc_init_context()) {}

  Result<void> mount(const Export& wanted);
  Result<void> learn_limits();

  RpcContext rpc_;
  std::string root_handle_;
  std::uint32_t read_size_max_ = 0;
  std::uint32_t write_size_max_ = 0;
  Clock::time_point rests_until_{};  // after a failure: a server that is down refuses at once, again and again
};

}  // namespace penstock::lab
