#include "schedulers/mh_table.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "schedulers/siphash.hpp"

namespace penstock::schedulers {
namespace {

constexpr std::uint32_t free_entry = ~std::uint32_t{0};

// IPVS: half of IP_VS_MH_TAB_INDEX. No server gets 2^6 entries in a row or more.
constexpr int turn_bits = 6;

// A server's walk over all entries.
struct Permutation {
  std::uint32_t entry;
  std::uint32_t skip;
};

Permutation permutation_of(const model::Endpoint& endpoint) {
  AddressImage address;
  static_assert(sizeof(address) == sizeof(endpoint.address.bytes));
  std::memcpy(&address, endpoint.address.bytes.data(), sizeof(address));
  const auto family = static_cast<Family>(endpoint.address.family);
  const be16 port = big(endpoint.port);
  return {.entry = mh_hash(address, family, port, 0, mh_first_key) % mh_entries,
          .skip = mh_hash(address, family, port, 0, mh_second_key) % (mh_entries - 1) + 1};
}

// How weights become turns: divided by what all have in common, then shifted into turn_bits.
struct Scale {
  std::int32_t divisor = 0;
  int shift = 0;
};

Scale scale_of(std::span<const Server> servers) {
  Scale scale;
  std::int32_t largest = 0;
  for (const Server& server : servers) {
    scale.divisor = std::gcd(scale.divisor, server.last_weight);
    largest = std::max(largest, server.last_weight);
  }
  if (largest == 0) return scale;
  const auto bits = static_cast<int>(std::bit_width(static_cast<std::uint32_t>(largest / scale.divisor)));
  scale.shift = std::max(bits - turn_bits, 0);
  return scale;
}

std::int32_t turns_of(const Server& server, Scale scale) {
  if (server.last_weight == 0) return 0;
  return std::max((server.last_weight / scale.divisor) >> scale.shift, 1);
}

std::uint32_t next_free(const std::vector<std::uint32_t>& table, Permutation& permutation) {
  while (table[permutation.entry] != free_entry)
    permutation.entry = (permutation.entry + permutation.skip) % mh_entries;
  return permutation.entry;
}

struct Player {
  std::uint32_t position;
  std::int32_t turns;
  Permutation permutation;
};

std::vector<Player> players_of(std::span<const Server> servers) {
  const Scale scale = scale_of(servers);
  std::vector<Player> players;
  for (std::uint32_t position = 0; position < servers.size(); ++position) {
    const std::int32_t turns = turns_of(servers[position], scale);
    if (turns > 0) players.push_back({position, turns, permutation_of(servers[position].endpoint)});
  }
  return players;
}

}  // namespace

std::vector<std::uint32_t> mh_table(std::span<const Server> servers) {
  std::vector<Player> players = players_of(servers);
  if (players.empty()) return {};
  std::vector<std::uint32_t> table(mh_entries, free_entry);
  for (std::uint32_t filled = 0; filled < mh_entries;) {
    for (Player& player : players) {
      for (std::int32_t turn = 0; turn < player.turns && filled < mh_entries; ++turn, ++filled)
        table[next_free(table, player.permutation)] = player.position;
    }
  }
  return table;
}

}  // namespace penstock::schedulers
