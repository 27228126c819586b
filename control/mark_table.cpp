#include "control/mark_table.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "control/images.hpp"
#include "datapath/core/atomic.hpp"

namespace penstock::control {
namespace {

static_assert(mark_rules_max == model::mark_rules_max);
static_assert(mark_port_ranges_max == model::port_ranges_max);

// Of no packet.
constexpr Family inert{};

AddressImage mask_of(const model::Prefix& prefix) {
  model::Address ones{.family = prefix.address.family, .bytes = {}};
  std::fill_n(ones.bytes.begin(), model::prefix_length_max(ones.family) / 8, std::uint8_t{0xff});
  return image_of(model::make_prefix(ones, prefix.length).address);
}

u8 copy_ports(PortRange (&to)[mark_port_ranges_max], const std::vector<model::PortRange>& from) {
  std::ranges::transform(from, to, [](const model::PortRange& range) { return PortRange{range.first, range.last}; });
  return static_cast<u8>(from.size());
}

bool is_same(const MarkRule& one, const MarkRule& other) { return std::memcmp(&one, &other, sizeof one) == 0; }

void make_inert(MarkRule& row) { store_release(&row.family, inert); }

void write_row(MarkRule& row, const MarkRule& rule) {
  if (is_same(row, rule)) return;
  make_inert(row);
  MarkRule still_inert = rule;
  still_inert.family = inert;
  row = still_inert;
  store_release(&row.family, rule.family);
}

// Rows that the wanted rules can stay in, in their order; all others become inert. The first wanted rule that has no row.
std::size_t keep_rows(MarkRules& table, u32 count, const std::vector<MarkRule>& wanted) {
  std::size_t next = 0;
  for (u32 i = 0; i < count; ++i) {
    if (next < wanted.size() && is_same(table.rules[i], wanted[next]))
      ++next;
    else
      make_inert(table.rules[i]);
  }
  return next;
}

// Bits of the first sixteen of an address, as the packet path makes an index of them.
u32 bit_of(u32 first_byte, u32 second_byte) { return first_byte | second_byte << 8; }

void set_bits(u64 (&bits)[vip_filter_bits / 64], const model::Prefix& prefix) {
  constexpr unsigned indexed = 16;
  const u32 first = u32{prefix.address.bytes[0]} << 8 | prefix.address.bytes[1];
  const u32 blocks = prefix.length >= indexed ? 1 : 1U << (indexed - prefix.length);
  for (u32 block = first; block < first + blocks; ++block) {
    const u32 bit = bit_of(block >> 8, block & 0xff);
    bits[bit / 64] |= u64{1} << (bit % 64);
  }
}

}  // namespace

MarkRule image_of(const model::MarkRule& rule) {
  MarkRule image{};
  image.source = image_of(rule.source.address);
  image.source_mask = mask_of(rule.source);
  image.destination = image_of(rule.destination.address);
  image.destination_mask = mask_of(rule.destination);
  image.mark = rule.mark;
  image.family = image_of(rule.family);
  image.protocol = rule.protocol ? static_cast<u8>(*rule.protocol) : u8{0};
  image.source_port_ranges = copy_ports(image.source_ports, rule.source_ports);
  image.destination_port_ranges = copy_ports(image.destination_ports, rule.destination_ports);
  return image;
}

void write_mark_rules(MarkRules& table, Settings& live, const std::vector<model::MarkRule>& rules) {
  assert(rules.size() <= mark_rules_max);
  std::vector<MarkRule> wanted;
  for (const model::MarkRule& rule : rules) wanted.push_back(image_of(rule));
  u32 count = std::min(load_acquire(&live.mark_rules), mark_rules_max);
  std::size_t next = keep_rows(table, count, wanted);
  if (count + wanted.size() - next > mark_rules_max) {
    next = 0;
    count = 0;
  }
  for (; next < wanted.size(); ++next) write_row(table.rules[count++], wanted[next]);
  // Rows that the former rules had beyond.
  for (u32 i = count; i < mark_rules_max; ++i) make_inert(table.rules[i]);
  store_release(&live.mark_rules, wanted.empty() ? 0 : count);
}

void add_mark_rules(VipFilter& filter, const std::vector<model::MarkRule>& rules) {
  for (const model::MarkRule& rule : rules)
    set_bits(filter.marked[rule.family == model::Family::ipv6], rule.destination);
}

}  // namespace penstock::control
