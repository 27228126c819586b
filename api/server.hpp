// The daemon's socket: any number of requests one after the other on each of a bounded number of connections. Requests are
// answered on the thread that runs the io_context, which owns the director.
//
// A listing of connections is made by a forked child: it sees the desired state as it was at that moment and the connection
// table as it is, needs no lock, and a million lines or a slow reader hold up nobody.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "api/director.hpp"
#include "base/result.hpp"

namespace boost::asio {
class io_context;
}

namespace penstock::api {

// A further client gets an error of code busy.
inline constexpr std::size_t clients_max = 64;
// A client that asks nothing for this long is disconnected.
inline constexpr std::chrono::minutes client_idle_max{10};
// A client that does not take its answer for this long is disconnected.
inline constexpr std::chrono::seconds client_stall_max{30};

struct ServerOptions {
  std::string path;                  // whatever socket file is there is replaced
  std::optional<std::string> group;  // may connect besides root: the socket's mode is 0660
};

class Server {
 public:
  // Listens from the next run of `io` on. `director` outlives `io`'s work.
  [[nodiscard]] static Result<std::unique_ptr<Server>> listen(boost::asio::io_context& io, Director& director,
                                                              const ServerOptions& options);
  ~Server();  // stops accepting and removes the socket file; sessions end with `io`

 private:
  struct State;
  explicit Server(std::shared_ptr<State> state, std::string path);

  std::shared_ptr<State> state_;  // shared with the sessions' coroutines, which `io` may destroy after the server
  std::string path_;
};

}  // namespace penstock::api
