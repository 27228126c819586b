// Frames spelled out as people say them:
//
//   eth(client_mac, director_mac).ipv4("198.51.100.7", "192.0.2.1").tcp(40000, 80, syn).payload(100)
//
// Each call adds the next layer; lengths and checksums are filled in when the bytes are asked for. What a test wants wrong it
// says in the fields, or changes in the bytes.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "tests/packets/checksum.hpp"

namespace penstock::packets {

using Mac = std::array<std::uint8_t, 6>;

inline constexpr std::uint8_t fin = 0x01;
inline constexpr std::uint8_t syn = 0x02;
inline constexpr std::uint8_t rst = 0x04;
inline constexpr std::uint8_t psh = 0x08;
inline constexpr std::uint8_t ack = 0x10;

// Of an IPv4 or IPv6 header; what one family does not have is ignored there.
struct IpFields {
  std::uint8_t ttl = 64;
  std::uint8_t tos = 0;
  std::uint16_t id = 0;
  bool dont_fragment = false;
  bool more_fragments = false;
  std::uint16_t fragment_offset = 0;  // in units of 8 bytes
  Bytes options{};                    // IPv4: a multiple of four bytes
};

struct TcpFields {
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint16_t window = 65535;
  std::uint8_t data_offset = 5;  // in 32-bit words, whatever follows
};

// The bytes of an address as on the wire: 4 or 16.
[[nodiscard]] inline Bytes address_bytes(const std::string& text) {
  const bool is_ipv6 = text.find(':') != std::string::npos;
  Bytes bytes(is_ipv6 ? 16 : 4);
  if (inet_pton(is_ipv6 ? AF_INET6 : AF_INET, text.c_str(), bytes.data()) != 1) throw std::invalid_argument(text);
  return bytes;
}

class Frame {
  static constexpr std::size_t no_checksum = ~std::size_t{0};

 public:
  Frame(const Mac& source, const Mac& destination) : source_mac_(source), destination_mac_(destination) {}

  // `control`: priority and number.
  [[nodiscard]] Frame vlan(std::uint16_t control, std::uint16_t type = 0x8100) const {
    return with([&](Frame& f) { f.vlans_.push_back(static_cast<std::uint32_t>(type) << 16 | control); });
  }
  // For what is not IP; the payload stands right behind it.
  [[nodiscard]] Frame ethertype(std::uint16_t type) const {
    return with([&](Frame& f) { f.ethertype_ = type; });
  }
  [[nodiscard]] Frame ipv4(const std::string& source, const std::string& destination, const IpFields& ip = {}) const {
    return ip_layer(0x0800, source, destination, ip);
  }
  [[nodiscard]] Frame ipv6(const std::string& source, const std::string& destination, const IpFields& ip = {}) const {
    return ip_layer(0x86dd, source, destination, ip);
  }
  // An IPv6 extension header: `body` follows its next-header byte and, but for a fragment's, its length byte.
  [[nodiscard]] Frame extension(std::uint8_t type, const Bytes& body = Bytes(6)) const {
    return with([&](Frame& f) { f.extensions_.push_back({type, body}); });
  }
  [[nodiscard]] Frame tcp(std::uint16_t source, std::uint16_t destination, std::uint8_t flags,
                          const TcpFields& tcp = {}) const {
    return with([&](Frame& f) {
      f.protocol_ = 6;
      f.checksum_at_ = 16;
      append16(f.transport_, source);
      append16(f.transport_, destination);
      append32(f.transport_, tcp.sequence);
      append32(f.transport_, tcp.acknowledgement);
      append16(f.transport_, static_cast<std::uint32_t>(tcp.data_offset << 12 | flags));
      append16(f.transport_, tcp.window);
      append32(f.transport_, 0);
    });
  }
  [[nodiscard]] Frame udp(std::uint16_t source, std::uint16_t destination) const {
    return with([&](Frame& f) {
      f.protocol_ = 17;
      f.checksum_at_ = 6;
      append16(f.transport_, source);
      append16(f.transport_, destination);
      append32(f.transport_, 0);
    });
  }
  // The sender says that it has made no checksum: UDP over IPv4 may.
  [[nodiscard]] Frame without_checksum() const {
    return with([&](Frame& f) { f.checksum_at_ = no_checksum; });
  }
  // With one chunk, of `body` and a payload that may follow.
  [[nodiscard]] Frame sctp(std::uint16_t source, std::uint16_t destination, std::uint8_t chunk_type,
                           const Bytes& body = Bytes(16)) const {
    return with([&](Frame& f) {
      f.protocol_ = 132;
      f.checksum_at_ = 8;
      append16(f.transport_, source);
      append16(f.transport_, destination);
      append32(f.transport_, 0x12345678);  // verification tag
      append32(f.transport_, 0);
      append(f.transport_, Bytes{chunk_type, 0});
      append16(f.transport_, static_cast<std::uint32_t>(4 + body.size()));
      append(f.transport_, body);
    });
  }
  // Of the datagram so far `count` bytes from byte `first` on, which is a multiple of 8. The IP layer's id stays.
  [[nodiscard]] Frame fragment(std::size_t first, std::size_t count) const {
    return with([&](Frame& f) {
      f.slice_ = {first, count};
      const bool more = first + count < transport().size();
      f.ip_.fragment_offset = static_cast<std::uint16_t>(first / 8);
      f.ip_.more_fragments = more;
      if (source_.size() == 4) return;
      Bytes body;
      append16(body, static_cast<std::uint32_t>(first | (more ? 1U : 0U)));
      append32(body, ip_.id);
      f.extensions_.push_back({44, body});
    });
  }
  // ICMP behind IPv4, ICMPv6 behind IPv6. `rest`: the word behind the checksum.
  [[nodiscard]] Frame icmp(std::uint8_t type, std::uint8_t code, std::uint32_t rest = 0) const {
    return with([&](Frame& f) {
      f.protocol_ = f.source_.size() == 4 ? 1 : 58;
      f.checksum_at_ = 2;
      f.transport_ = {type, code, 0, 0};
      append32(f.transport_, rest);
    });
  }
  // A protocol without a transport header that we know.
  [[nodiscard]] Frame protocol(std::uint8_t number) const {
    return with([&](Frame& f) { f.protocol_ = number; });
  }
  [[nodiscard]] Frame payload(std::size_t count) const {
    return with([&](Frame& f) {
      for (std::size_t i = 0; i < count; ++i) f.payload_.push_back(static_cast<std::uint8_t>(i * 7 + 3));
    });
  }
  [[nodiscard]] Frame payload(View bytes) const {
    return with([&](Frame& f) { append(f.payload_, bytes); });
  }
  // Ethernet's padding: zeroes behind the IP packet up to a frame of `length` bytes.
  [[nodiscard]] Frame padded_to(std::size_t length) const {
    return with([&](Frame& f) { f.padded_ = length; });
  }

  // The IP packet alone.
  [[nodiscard]] Bytes packet() const { return source_.size() == 4 ? ipv4_packet() : ipv6_packet(); }

  [[nodiscard]] Bytes bytes() const {
    Bytes frame(destination_mac_.begin(), destination_mac_.end());
    append(frame, source_mac_);
    for (const std::uint32_t tag : vlans_) append32(frame, tag);
    append16(frame, ethertype_);
    append(frame, source_.empty() ? payload_ : packet());
    if (frame.size() < padded_) frame.resize(padded_);
    return frame;
  }
  operator Bytes() const { return bytes(); }  // a frame is its bytes, in tables of cases

 private:
  struct Extension {
    std::uint8_t type;
    Bytes body;
  };

  template <typename Change>
  Frame with(Change change) const {
    Frame changed = *this;
    change(changed);
    return changed;
  }

  Frame ip_layer(std::uint16_t type, const std::string& source, const std::string& destination,
                 const IpFields& ip) const {
    return with([&](Frame& f) {
      f.ethertype_ = type;
      f.source_ = address_bytes(source);
      f.destination_ = address_bytes(destination);
      f.ip_ = ip;
    });
  }

  Bytes sliced(const Bytes& whole) const {
    if (slice_.count == 0) return whole;
    const auto begin = whole.begin() + static_cast<std::ptrdiff_t>(std::min(slice_.first, whole.size()));
    return {begin, begin + std::min(static_cast<std::ptrdiff_t>(slice_.count), whole.end() - begin)};
  }

  // ICMPv4 alone has no pseudo header (RFC 792), SCTP a checksum of its own.
  Bytes transport() const {
    Bytes whole = transport_;
    append(whole, payload_);
    if (transport_.empty()) return sliced(whole);
    if (protocol_ == 17) put16(whole, 4, static_cast<std::uint32_t>(whole.size()));
    if (protocol_ == 132) {
      put_little32(whole, 8, naive_crc32c(whole));
    } else if (checksum_at_ != no_checksum) {
      put_checksum(whole);
    }
    return sliced(whole);
  }

  void put_checksum(Bytes& whole) const {
    std::uint16_t checksum =
        protocol_ == 1 ? naive_checksum(whole) : naive_transport_checksum(source_, destination_, protocol_, whole);
    if (protocol_ == 17 && checksum == 0) checksum = 0xffff;
    put16(whole, checksum_at_, checksum);
  }

  Bytes ipv4_packet() const {
    const Bytes inner = transport();
    const std::size_t header = 20 + ip_.options.size();
    Bytes packet{static_cast<std::uint8_t>(0x40 | header / 4), ip_.tos};
    append16(packet, static_cast<std::uint32_t>(header + inner.size()));
    append16(packet, ip_.id);
    append16(packet, (ip_.dont_fragment ? 0x4000U : 0U) | (ip_.more_fragments ? 0x2000U : 0U) | ip_.fragment_offset);
    append(packet, Bytes{ip_.ttl, protocol_, 0, 0});
    append(packet, source_);
    append(packet, destination_);
    append(packet, ip_.options);
    put16(packet, 10, naive_checksum(packet));
    append(packet, inner);
    return packet;
  }

  Bytes ipv6_packet() const {
    Bytes behind;
    for (std::size_t i = 0; i < extensions_.size(); ++i) {
      behind.push_back(i + 1 < extensions_.size() ? extensions_[i + 1].type : protocol_);
      const bool is_fragment = extensions_[i].type == 44;
      behind.push_back(is_fragment ? std::uint8_t{0}
                                   : static_cast<std::uint8_t>((extensions_[i].body.size() + 2) / 8 - 1));
      append(behind, extensions_[i].body);
    }
    append(behind, transport());
    Bytes packet{static_cast<std::uint8_t>(0x60 | ip_.tos >> 4), static_cast<std::uint8_t>(ip_.tos << 4), 0, 0};
    append16(packet, static_cast<std::uint32_t>(behind.size()));
    append(packet, Bytes{extensions_.empty() ? protocol_ : extensions_[0].type, ip_.ttl});
    append(packet, source_);
    append(packet, destination_);
    append(packet, behind);
    return packet;
  }

  Mac source_mac_;
  Mac destination_mac_;
  std::vector<std::uint32_t> vlans_;
  std::uint16_t ethertype_ = 0;
  Bytes source_;  // empty: not IP
  Bytes destination_;
  IpFields ip_;
  std::vector<Extension> extensions_;
  std::uint8_t protocol_ = 0;
  Bytes transport_;
  std::size_t checksum_at_ = no_checksum;
  struct Slice {
    std::size_t first = 0;
    std::size_t count = 0;  // 0: all of it
  } slice_;
  Bytes payload_;
  std::size_t padded_ = 0;
};

// For messages: bytes as people compare them.
[[nodiscard]] inline std::string hex(View bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

[[nodiscard]] inline Frame eth(const Mac& source, const Mac& destination) { return {source, destination}; }

}  // namespace penstock::packets
