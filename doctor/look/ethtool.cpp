#include "doctor/look/ethtool.hpp"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

#include "doctor/look/descriptor.hpp"

namespace penstock::doctor {
namespace {

constexpr std::uint32_t statistics_max = 65536;

bool call(const std::string& interface, void* data) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::ranges::copy(std::string_view(interface).substr(0, IFNAMSIZ - 1), request.ifr_name);
  request.ifr_data = static_cast<char*>(data);
  return ioctl(socket.fd(), SIOCETHTOOL, &request) == 0;
}

std::uint32_t count_statistics(const std::string& interface) {
  // A set of one: its size follows the header.
  alignas(ethtool_sset_info) std::byte buffer[sizeof(ethtool_sset_info) + sizeof(std::uint32_t)]{};
  auto* question = new (buffer) ethtool_sset_info{};
  question->cmd = ETHTOOL_GSSET_INFO;
  question->sset_mask = 1ULL << ETH_SS_STATS;
  if (!call(interface, buffer) || question->sset_mask == 0) return 0;
  std::uint32_t count = 0;
  std::memcpy(&count, buffer + sizeof(ethtool_sset_info), sizeof count);
  return std::min(count, statistics_max);
}

// A command with its header, then `count` items of `Item`.
template <typename Header, typename Item>
std::vector<Item> ask(const std::string& interface, Header header, std::uint32_t count) {
  std::vector<std::byte> buffer(sizeof header + count * sizeof(Item));
  std::memcpy(buffer.data(), &header, sizeof header);
  if (!call(interface, buffer.data())) return {};
  std::vector<Item> items(count);
  std::memcpy(items.data(), buffer.data() + sizeof header, count * sizeof(Item));
  return items;
}

struct Name {
  char text[ETH_GSTRING_LEN];
};

}  // namespace

bool has_lro(const std::string& interface) {
  ethtool_value flags{.cmd = ETHTOOL_GFLAGS, .data = 0};
  return call(interface, &flags) && (flags.data & ETH_FLAG_LRO) != 0;
}

XdpCounters xdp_counters(const std::string& interface) {
  const std::uint32_t count = count_statistics(interface);
  ethtool_gstrings names_header{};
  names_header.cmd = ETHTOOL_GSTRINGS;
  names_header.string_set = ETH_SS_STATS;
  names_header.len = count;
  ethtool_stats values_header{};
  values_header.cmd = ETHTOOL_GSTATS;
  values_header.n_stats = count;
  const auto names = ask<ethtool_gstrings, Name>(interface, names_header, count);
  const auto values = ask<ethtool_stats, std::uint64_t>(interface, values_header, count);
  XdpCounters counters;
  for (std::size_t i = 0; i < std::min(names.size(), values.size()); ++i) {
    const std::string_view name(names[i].text, strnlen(names[i].text, sizeof names[i].text));
    if (name.ends_with("_xdp_tx")) counters.sent += values[i];
    if (name.ends_with("_xdp_tx_errors")) counters.lost += values[i];
  }
  return counters;
}

}  // namespace penstock::doctor
