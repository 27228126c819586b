#include "lab/control_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <sstream>

#include "lab/file_descriptor.hpp"
#include "lab/process.hpp"

namespace penstock::lab {
namespace {

bool connects(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path) return false;
  std::ranges::copy(name, address.sun_path);
  if (name[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
    const FileDescriptor socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> find_control_socket(std::string_view proc_net_unix) {
  constexpr std::string_view listening = "00010000";  // __SO_ACCEPTCON
  std::istringstream lines{std::string(proc_net_unix)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string number, references, protocol, flags, type, state, inode, name;
    fields >> number >> references >> protocol >> flags >> type >> state >> inode >> name;
    if (flags == listening && name.find("penstock") != name.npos) return name;
  }
  return std::nullopt;
}

bool control_socket_answers() {
  const auto table = read_file("/proc/net/unix");
  if (!table) return false;
  const auto name = find_control_socket(*table);
  return name && connects(*name);
}

}  // namespace penstock::lab
