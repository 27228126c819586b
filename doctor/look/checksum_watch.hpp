// Notices TCP segments that arrive with a checksum that is still to be computed: the kernel marks them for packet sockets.
#pragma once

#include "base/result.hpp"
#include "doctor/look/descriptor.hpp"

namespace penstock::doctor {

class ChecksumWatch {
 public:
  // From now on, on that interface. What XDP takes away is not seen.
  [[nodiscard]] static Result<ChecksumWatch> open(std::uint32_t interface);

  // Whether one has come so far.
  [[nodiscard]] bool saw_owed_checksum() const;

 private:
  explicit ChecksumWatch(Descriptor socket) : socket_(std::move(socket)) {}

  Descriptor socket_;
};

}  // namespace penstock::doctor
