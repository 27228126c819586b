// The kernel's requests that wait for the server's replies.
//
// A FUSE request can't be killed while its daemon owes it an answer. So a request whose process got a signal is answered with EINTR once it
// is old enough: not at once, or ordinary signals would fail calls that the server is about to answer.
#pragma once

#include <chrono>
#include <functional>
#include <list>

#include "lab/nfs/fuse.hpp"

namespace penstock::lab {

class WaitingRequests {
 public:
  using Clock = std::chrono::steady_clock;
  using Answer = std::function<void(const void* reply)>;

  static constexpr std::chrono::seconds patience{1};  // with interrupted requests

  struct Waiting {
    fuse_req_t request = nullptr;  // none: answered with EINTR
    Clock::time_point since;
    Answer answer;
    WaitingRequests* all = nullptr;
    std::list<Waiting>::iterator self;
    bool is_interrupted = false;
  };

  // The pointer is good until `end`.
  Waiting* begin(fuse_req_t request, Clock::time_point now, Answer answer);

  // The server's reply, or null if there will be none.
  static void end(Waiting* waiting, const void* reply);

  void give_up_interrupted(Clock::time_point now);

  [[nodiscard]] bool empty() const { return all_.empty(); }

 private:
  std::list<Waiting> all_;
};

}  // namespace penstock::lab
