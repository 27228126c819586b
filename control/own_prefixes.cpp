#include "control/own_prefixes.hpp"

#include <algorithm>
#include <cstring>

#include "control/images.hpp"
#include "datapath/core/atomic.hpp"

namespace penstock::control {
namespace {

AddressImage mask_of(const model::Prefix& prefix) {
  std::array<std::uint8_t, 16> bytes{};
  for (unsigned bit = 0; bit < prefix.length; ++bit) bytes[bit / 8] |= static_cast<std::uint8_t>(0x80U >> bit % 8);
  AddressImage mask{};
  std::memcpy(&mask, bytes.data(), sizeof mask);
  return mask;
}

}  // namespace

void write_own_prefixes(OwnPrefixes& table, const std::vector<model::Prefix>& prefixes) {
  const auto count = static_cast<u32>(std::min<std::size_t>(prefixes.size(), own_prefixes_max));
  if (count < table.count) store_release(&table.count, count);
  for (u32 i = 0; i < count; ++i)
    table.prefixes[i] = {.prefix = image_of(prefixes[i].address),
                         .mask = mask_of(prefixes[i]),
                         .family = image_of(prefixes[i].address.family),
                         .zero = {}};
  store_release(&table.count, count);
}

}  // namespace penstock::control
