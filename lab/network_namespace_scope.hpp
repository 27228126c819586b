// In another process's network namespace until the end of the scope. Of the calling thread only.
#pragma once

#include <fcntl.h>
#include <sched.h>

#include <cstdlib>

#include "lab/file_descriptor.hpp"

namespace penstock::lab {

class NetworkNamespaceScope {
 public:
  explicit NetworkNamespaceScope(const FileDescriptor& pidfd)
      : own_(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)), entered_(setns(pidfd.get(), CLONE_NEWNET) == 0) {}
  NetworkNamespaceScope(const NetworkNamespaceScope&) = delete;
  NetworkNamespaceScope& operator=(const NetworkNamespaceScope&) = delete;
  ~NetworkNamespaceScope() {
    // To go on in the wrong network would be worse than to end.
    if (entered_ && setns(own_.get(), CLONE_NEWNET) != 0) std::abort();
  }
  [[nodiscard]] bool entered() const { return entered_; }  // errno of setns otherwise

 private:
  FileDescriptor own_;
  bool entered_;
};

}  // namespace penstock::lab
