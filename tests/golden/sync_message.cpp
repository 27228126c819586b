#include "tests/golden/sync_message.hpp"

#include <fmt/format.h>

namespace penstock::golden {

namespace {

constexpr std::size_t header_v1 = 8;
constexpr std::size_t entry_v1_min = 36;
constexpr std::size_t header_v0 = 4;
constexpr std::size_t entry_v0 = 24;
constexpr std::size_t sequences = 24;           // of NAT with changed lengths
constexpr std::uint32_t has_sequences = 0x600;  // IP_VS_CONN_F_SEQ_MASK

Fields decode_entry_v1(View entry) {
  const std::size_t address = (entry[0] & 1) != 0 ? 16 : 4;
  Fields fields = {{"type", entry[0]},
                   {"proto", protocol_field(entry[1])},
                   {"msgver", read16(entry, 2) >> 12},
                   {"flags", fmt::format("{:#x}", read32(entry, 4))},
                   {"state", read16(entry, 8)},
                   {"cport", read16(entry, 10)},
                   {"vport", read16(entry, 12)},
                   {"dport", read16(entry, 14)},
                   {"fwmark", read32(entry, 16)},
                   {"timeout", read32(entry, 20)}};
  if (entry.size() < 24 + 3 * address) return fields;
  fields["caddr"] = address_text(entry.subspan(24, address));
  fields["vaddr"] = address_text(entry.subspan(24 + address, address));
  fields["daddr"] = address_text(entry.subspan(24 + 2 * address, address));
  if (entry.size() > 24 + 3 * address) fields["opts"] = to_hex(entry.subspan(24 + 3 * address));
  return fields;
}

Fields decode_v1(View message) {
  const auto count = message[4];
  Fields fields = {{"version", message[5]}, {"syncid", message[1]},        {"size", read16(message, 2)},
                   {"nr_conns", count},     {"spare", read16(message, 6)}, {"conns", Fields::array()}};
  std::size_t at = header_v1;
  while (at + 4 <= message.size() && fields["conns"].size() < count) {
    const std::size_t length = read16(message, at + 2) & 0xfffU;
    if (length < entry_v1_min || at + length > message.size()) {
      fields["bad"] = to_hex(message.subspan(at));
      break;
    }
    fields["conns"].push_back(decode_entry_v1(message.subspan(at, length)));
    at = std::min(at + (length + 3) / 4 * 4, message.size());
  }
  if (at < message.size()) fields["trailing"] = to_hex(message.subspan(at));
  return fields;
}

Fields decode_v0(View message) {
  const auto count = message[0];
  Fields fields = {{"version", 0},
                   {"syncid", message[1]},
                   {"size", read16(message, 2)},
                   {"nr_conns", count},
                   {"conns", Fields::array()}};
  std::size_t at = header_v0;
  while (at + entry_v0 <= message.size() && fields["conns"].size() < count) {
    const View entry = message.subspan(at);
    const std::uint32_t flags = read16(entry, 20);
    Fields connection = {{"reserved", entry[0]},
                         {"proto", protocol_field(entry[1])},
                         {"cport", read16(entry, 2)},
                         {"vport", read16(entry, 4)},
                         {"dport", read16(entry, 6)},
                         {"caddr", address_text(entry.subspan(8, 4))},
                         {"vaddr", address_text(entry.subspan(12, 4))},
                         {"daddr", address_text(entry.subspan(16, 4))},
                         {"flags", fmt::format("{:#x}", flags)},
                         {"state", read16(entry, 22)}};
    at += entry_v0;
    if ((flags & has_sequences) != 0) {
      const std::size_t length = std::min(sequences, message.size() - at);
      connection["opts"] = to_hex(message.subspan(at, length));
      at += length;
    }
    fields["conns"].push_back(std::move(connection));
  }
  if (at < message.size()) fields["trailing"] = to_hex(message.subspan(at));
  return fields;
}

}  // namespace

Fields decode_sync(View message) { return message[0] == 0 ? decode_v1(message) : decode_v0(message); }

}  // namespace penstock::golden
