// Headers as they stand on the wire (RFC 791, 8200, 9293, 768, 792, 4443, Ethernet II). Fields are in network order and the
// structs have no holes; nothing is packed, as the frame begins two bytes off a multiple of 16, and BPF would read packed fields
// byte by byte.
#pragma once

#include "datapath/abi/address.hpp"
#include "datapath/abi/types.hpp"

namespace penstock {

struct EthernetHeader {
  u8 destination[6];
  u8 source[6];
  be16 type;
};
static_assert(sizeof(EthernetHeader) == 14);

static constexpr u32 network_offset = sizeof(EthernetHeader);  // of the IP header in a frame

static constexpr be16 ethertype_ipv4 = big(u16{0x0800});
static constexpr be16 ethertype_ipv6 = big(u16{0x86dd});
static constexpr be16 ethertype_vlan = big(u16{0x8100});          // IEEE 802.1Q
static constexpr be16 ethertype_vlan_service = big(u16{0x88a8});  // 802.1ad

// Between the Ethernet addresses and the type of what follows.
struct VlanTag {
  be16 type;
  be16 control;  // priority and number
};
static_assert(sizeof(VlanTag) == 4);

// Of a way that is described by a tag's control field alone; 0: no tag.
constexpr VlanTag tag_of(be16 control) { return control == be16{} ? VlanTag{} : VlanTag{ethertype_vlan, control}; }

struct Ipv4Header {
  u8 version_and_words;  // header length in 32-bit words in the low four bits
  u8 tos;
  be16 length;  // of the whole packet
  be16 id;
  be16 fragment;  // 0x4000 don't fragment, 0x2000 more fragments, 13 bits of offset in units of 8 bytes
  u8 ttl;
  u8 protocol;
  u16 checksum;
  u32 source;  // address images: bytes as on the wire
  u32 destination;
};
static_assert(sizeof(Ipv4Header) == 20);

static constexpr be16 ipv4_dont_fragment = big(u16{0x4000});
static constexpr u16 ipv4_more_fragments = 0x2000;  // host order
static constexpr u16 ipv4_fragment_offset = 0x1fff;

struct Ipv6Header {
  u8 version_class_label[4];
  be16 payload_length;
  u8 next_header;
  u8 hop_limit;
  u32 source[4];
  u32 destination[4];
};
static_assert(sizeof(Ipv6Header) == 40);

// The first words of TCP and UDP are the ports.
struct PortsHeader {
  be16 source;
  be16 destination;
};

struct TcpHeader {
  be16 source;
  be16 destination;
  be32 sequence;
  be32 acknowledgement;
  u8 data_offset;  // in 32-bit words, in the high four bits
  u8 flags;
  be16 window;
  u16 checksum;
  be16 urgent;
};
static_assert(sizeof(TcpHeader) == 20);

static constexpr u8 tcp_fin = 0x01;
static constexpr u8 tcp_syn = 0x02;
static constexpr u8 tcp_rst = 0x04;
static constexpr u8 tcp_ack = 0x10;

struct UdpHeader {
  be16 source;
  be16 destination;
  be16 length;
  u16 checksum;
};
static_assert(sizeof(UdpHeader) == 8);

// Followed by chunks (RFC 9260).
struct SctpHeader {
  be16 source;
  be16 destination;
  be32 tag;
  u32 checksum;  // CRC32c, least significant byte first
};
static_assert(sizeof(SctpHeader) == 12);

struct SctpChunk {
  u8 type;
  u8 flags;
  be16 length;  // of the chunk, without padding
};

struct Ipv6Fragment {
  u8 next_header;
  u8 reserved;
  be16 offset;  // in units of 8 bytes, 13 bits; then two of reserve, then "more"
  u32 id;
};
static_assert(sizeof(Ipv6Fragment) == 8);

struct GreHeader {
  be16 flags;
  be16 protocol;
};
static constexpr be16 gre_with_checksum = big(u16{0x8000});

// ICMP and ICMPv6 errors: four bytes of which the last word may be an MTU, then the quoted packet.
struct IcmpErrorHeader {
  u8 type;
  u8 code;
  u16 checksum;
  be32 rest;
};
static_assert(sizeof(IcmpErrorHeader) == 8);

static constexpr u8 protocol_icmp = 1;
static constexpr u8 protocol_ipip = 4;
static constexpr u8 protocol_tcp = 6;
static constexpr u8 protocol_udp = 17;
static constexpr u8 protocol_ipv6 = 41;
static constexpr u8 protocol_ipv6_fragment = 44;
static constexpr u8 protocol_gre = 47;
static constexpr u8 protocol_esp = 50;
static constexpr u8 protocol_ah = 51;
static constexpr u8 protocol_icmpv6 = 58;
static constexpr u8 protocol_sctp = 132;

}  // namespace penstock
