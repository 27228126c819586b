#include "lab/nfs/waiting.hpp"

#include <cerrno>
#include <iterator>
#include <utility>

namespace penstock::lab {

WaitingRequests::Waiting* WaitingRequests::begin(fuse_req_t request, Clock::time_point now, Answer answer) {
  Waiting& waiting = all_.emplace_back();
  waiting.request = request;
  waiting.since = now;
  waiting.answer = std::move(answer);
  waiting.all = this;
  waiting.self = std::prev(all_.end());
  const auto note_interrupt = [](fuse_req_t, void* data) { static_cast<Waiting*>(data)->is_interrupted = true; };
  fuse_req_interrupt_func(request, note_interrupt, &waiting);
  return &waiting;
}

void WaitingRequests::end(Waiting* waiting, const void* reply) {
  if (waiting->request != nullptr && reply == nullptr) fuse_reply_err(waiting->request, EIO);
  if (waiting->request != nullptr && reply != nullptr) waiting->answer(reply);
  waiting->all->all_.erase(waiting->self);
}

void WaitingRequests::give_up_interrupted(Clock::time_point now) {
  for (Waiting& waiting : all_) {
    if (waiting.request == nullptr || !waiting.is_interrupted || now - waiting.since < patience) continue;
    fuse_reply_err(std::exchange(waiting.request, nullptr), EINTR);
  }
}

}  // namespace penstock::lab
