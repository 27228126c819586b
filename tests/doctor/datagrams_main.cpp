// datagrams ADDRESS PORT SIZE FIRST LAST: sends datagrams of SIZE bytes, one from each source port from FIRST to LAST, round and
// round until it is killed. They may not be fragmented, and what the kernel has learned about the path is not heeded: a flow of its
// own each, or each too big for the path.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

// False: somebody has the port.
bool send_from(unsigned port, const sockaddr_in& to, const std::vector<char>& payload) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  constexpr int probe = IP_PMTUDISC_PROBE;
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_port = htons(static_cast<unsigned short>(port));
  const bool sent =
      setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe) == 0 &&
      bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0 &&
      sendto(fd, payload.data(), payload.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) > 0;
  close(fd);
  return sent;
}

unsigned number(const char* text) { return static_cast<unsigned>(std::strtoul(text, nullptr, 10)); }

}  // namespace

int main(int count, char** words) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  if (count != 6 || inet_pton(AF_INET, words[1], &to.sin_addr) != 1) {
    std::fprintf(stderr, "usage: datagrams ADDRESS PORT SIZE FIRST LAST\n");
    return 2;
  }
  to.sin_port = htons(static_cast<unsigned short>(number(words[2])));
  const std::vector<char> payload(number(words[3]), 'x');
  for (;;) {
    unsigned sent = 0;
    for (unsigned port = number(words[4]); port <= number(words[5]); ++port) sent += send_from(port, to, payload);
    if (sent == 0) return 1;
  }
}
