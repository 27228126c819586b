#include "control/local_pool.hpp"

#include <cassert>
#include <optional>

#include "control/images.hpp"
#include "datapath/core/atomic.hpp"
#include "model/desired_state.hpp"

namespace penstock::control {
namespace {

static_assert(model::local_addresses_max < local_addresses_max, "all that are wanted find a place in an empty pool");

using Places = std::bitset<local_addresses_max>;

bool is_same(const AddressImage& one, const AddressImage& other) {
  return one.low == other.low && one.high == other.high;
}

bool is_empty(const AddressImage& image) { return is_same(image, AddressImage{}); }

std::optional<u32> place_of(const LocalPool& pool, const AddressImage& image) {
  for (u32 place = 0; place < local_addresses_max; ++place)
    if (is_same(pool.addresses[place], image)) return place;
  return std::nullopt;
}

// A place that nobody ever had, or else one that no connection holds.
std::optional<u32> free_place(const LocalPool& pool, const Places& taken, const FindHeldPlaces& held) {
  for (u32 place = 0; place < local_addresses_max; ++place)
    if (is_empty(pool.addresses[place])) return place;
  const Places busy = taken | held();
  for (u32 place = 0; place < local_addresses_max; ++place)
    if (!busy[place]) return place;
  return std::nullopt;
}

Places places_of(const LocalPool& pool, const std::vector<model::Address>& wanted) {
  Places taken;
  for (const model::Address& address : wanted)
    if (const auto place = place_of(pool, image_of(address))) taken.set(*place);
  return taken;
}

std::size_t index_of(model::Family family) { return family == model::Family::ipv6 ? 1 : 0; }

// The last takes the place of the one that goes, so that a reader finds a valid entry at every moment.
void keep_only(u8 (&order)[local_addresses_max], u32& count, const Places& wanted) {
  for (u32 i = 0; i < count;) {
    if (wanted[order[i]]) {
      ++i;
      continue;
    }
    store_release(&order[i], order[count - 1]);
    store_release(&count, count - 1);
  }
}

void append(u8 (&order)[local_addresses_max], u32& count, u32 place) {
  for (u32 i = 0; i < count; ++i)
    if (order[i] == place) return;
  store_release(&order[count], static_cast<u8>(place));
  store_release(&count, count + 1);
}

}  // namespace

HeldPlaces held_places(std::span<const ConnectionBucket> connections) {
  HeldPlaces held;
  for (const ConnectionBucket& bucket : connections)
    for (const Connection& record : bucket.records)
      if (load_acquire(&record.word) != 0 && record.key.role == Role::request &&
          static_cast<Method>(record.traits & method_mask) == Method::fullnat)
        held.set(record.local_address);
  return held;
}

bool has_place_for(const LocalPool& pool, const model::Address& address, const std::vector<model::Address>& wanted,
                   const FindHeldPlaces& held) {
  if (place_of(pool, image_of(address))) return true;
  return free_place(pool, places_of(pool, wanted), held).has_value();
}

void write_local_pool(LocalPool& pool, const std::vector<model::Address>& wanted, const FindHeldPlaces& held) {
  Places taken = places_of(pool, wanted);
  for (const model::Family family : {model::Family::ipv4, model::Family::ipv6}) {
    const std::size_t row = index_of(family);
    Places of_family;
    for (const model::Address& address : wanted)
      if (const auto place = place_of(pool, image_of(address)); place && address.family == family)
        of_family.set(*place);
    keep_only(pool.order[row], pool.count[row], of_family);
  }
  for (const model::Address& address : wanted) {
    const AddressImage image = image_of(address);
    auto place = place_of(pool, image);
    if (!place) place = free_place(pool, taken, held);
    assert(place && "a local address finds no place though there was one");
    pool.addresses[*place] = image;
    taken.set(*place);
    append(pool.order[index_of(address.family)], pool.count[index_of(address.family)], *place);
  }
}

std::vector<AddressImage> known_addresses(const LocalPool& pool) {
  std::vector<AddressImage> known;
  for (const AddressImage& image : pool.addresses)
    if (!is_empty(image)) known.push_back(image);
  return known;
}

}  // namespace penstock::control
