#include "cli/ipvsadm_order.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace penstock::cli {
namespace {

// > 0: `a` comes after `b`.
std::int32_t difference(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b); }

std::uint32_t word(const model::Address& address, std::size_t index) {
  const std::uint8_t* bytes = address.bytes.data() + 4 * index;
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

// IPv4 has one word and zeros, so both families mix in a list of servers.
std::int32_t compare(const model::Endpoint& a, const model::Endpoint& b) {
  for (std::size_t i = 0; i < 4; ++i)
    if (const auto differs = difference(word(a.address, i), word(b.address, i)); differs != 0) return differs;
  return a.port - b.port;
}

std::int32_t compare(const api::ServiceView& a, const api::ServiceView& b) {
  const model::ServiceKey& left = a.service.key;
  const model::ServiceKey& right = b.service.key;
  if (const auto differs = difference(left.fwmark, right.fwmark); differs != 0) return differs;
  if (left.vip.address.family != right.vip.address.family)
    return left.vip.address.family == model::Family::ipv6 ? 1 : -1;
  if (left.protocol != right.protocol) return static_cast<int>(left.protocol) - static_cast<int>(right.protocol);
  return compare(left.vip, right.vip);
}

std::int32_t compare(const api::ServerView& a, const api::ServerView& b) {
  return compare(a.server.endpoint, b.server.endpoint);
}

// Halves are sorted, then merged; any comparison is safe, and the same one gives the same result everywhere.
template <typename View>
void merge_sort(std::vector<View>& views) {
  if (views.size() < 2) return;
  const auto middle = views.begin() + static_cast<std::ptrdiff_t>(views.size() / 2);
  std::vector<View> left(std::make_move_iterator(views.begin()), std::make_move_iterator(middle));
  std::vector<View> right(std::make_move_iterator(middle), std::make_move_iterator(views.end()));
  merge_sort(left);
  merge_sort(right);

  auto out = views.begin();
  auto l = left.begin();
  auto r = right.begin();
  while (l != left.end() && r != right.end()) *out++ = compare(*l, *r) <= 0 ? std::move(*l++) : std::move(*r++);
  out = std::move(l, left.end(), out);
  std::move(r, right.end(), out);
}

}  // namespace

void sort_services(std::vector<api::ServiceView>& services) { merge_sort(services); }

void sort_servers(std::vector<api::ServerView>& servers) { merge_sort(servers); }

}  // namespace penstock::cli
