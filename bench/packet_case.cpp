#include "bench/packet_case.hpp"

#include <array>
#include <cstring>
#include <numeric>

#include "bench/cluster.hpp"
#include "datapath/core/wire.hpp"

namespace penstock::bench {
namespace {

constexpr u32 quarter = 1U << 18;  // of the default table's million connections
constexpr u32 half = 1U << 19;
constexpr u32 many = 1U << 19;
constexpr u32 few = 1U << 15;  // new connections of one round: half of what the half-open region holds

constexpr PacketCase cases[] = {
    {"TCP, 1 connection", Traffic::known, Family::ipv4, protocol_tcp, 1, many},
    {"TCP, 64 k connections", Traffic::known, Family::ipv4, protocol_tcp, 1U << 16, many},
    {"TCP, 256 k connections (25 % load)", Traffic::known, Family::ipv4, protocol_tcp, quarter, many},
    {"TCP, 512 k connections (50 % load)", Traffic::known, Family::ipv4, protocol_tcp, half, many},
    {"UDP, 1 connection", Traffic::known, Family::ipv4, protocol_udp, 1, many},
    {"UDP, 512 k connections", Traffic::known, Family::ipv4, protocol_udp, half, many},
    {"IPv6 TCP, 1 connection", Traffic::known, Family::ipv6, protocol_tcp, 1, many},
    {"IPv6 TCP, 512 k connections", Traffic::known, Family::ipv6, protocol_tcp, half, many},
    {"each packet a new TCP connection (SYN)", Traffic::fresh, Family::ipv4, protocol_tcp, half, few},
    {"new TCP connections, SYN and ACK, per packet", Traffic::handshake, Family::ipv4, protocol_tcp, half, few},
    {"each packet a new UDP connection", Traffic::fresh, Family::ipv4, protocol_udp, half, few},
    {"virtual address, no service", Traffic::unserved, Family::ipv4, protocol_tcp, half, many},
    {"not a virtual address", Traffic::not_virtual, Family::ipv4, protocol_tcp, half, many},
};

bool begins_connections(const PacketCase& which) {
  return which.traffic == Traffic::fresh || which.traffic == Traffic::handshake;
}

template <typename Header>
void append(std::vector<u8>& frame, const Header& header) {
  const auto* bytes = reinterpret_cast<const u8*>(&header);
  frame.insert(frame.end(), bytes, bytes + sizeof header);
}

template <typename Word>
void copy_words(Word& to, const AddressImage& from) {
  static_assert(sizeof to <= sizeof from);
  std::memcpy(&to, &from, sizeof to);
}

u16 transport_length(const PacketCase& which) {
  return which.protocol == protocol_tcp ? sizeof(TcpHeader) : sizeof(UdpHeader);
}

Ipv4Header ipv4_header(const PacketCase& which, const FlowKey& key) {
  Ipv4Header ip{};
  ip.version_and_words = 0x45;
  ip.length = big(static_cast<u16>(sizeof ip + transport_length(which)));
  ip.ttl = 64;
  ip.protocol = which.protocol;
  copy_words(ip.source, key.client);
  copy_words(ip.destination, key.vip);
  return ip;
}

Ipv6Header ipv6_header(const PacketCase& which, const FlowKey& key) {
  Ipv6Header ip{};
  ip.version_class_label[0] = 0x60;
  ip.payload_length = big(transport_length(which));
  ip.next_header = which.protocol;
  ip.hop_limit = 64;
  copy_words(ip.source, key.client);
  copy_words(ip.destination, key.vip);
  return ip;
}

void append_transport(std::vector<u8>& frame, const PacketCase& which, const FlowKey& key) {
  if (which.protocol == protocol_udp) {
    append(frame, UdpHeader{.source = key.client_port,
                            .destination = key.vip_port,
                            .length = big(u16{sizeof(UdpHeader)}),
                            .checksum = 0});
    return;
  }
  TcpHeader tcp{};
  tcp.source = key.client_port;
  tcp.destination = key.vip_port;
  tcp.data_offset = 0x50;
  tcp.flags = begins_connections(which) ? tcp_syn : tcp_ack;
  append(frame, tcp);
}

// The packet's own side of a flow: a virtual address or one that isn't.
FlowKey key_of_packet(const PacketCase& which) {
  FlowKey key = key_of_flow(0, which.family, which.protocol);
  if (which.traffic == Traffic::unserved) key.vip_port = big(unserved_port);
  if (which.traffic == Traffic::not_virtual) key.vip = foreign_address(which.family);
  return key;
}

u64 sum_without_client(Ipv4Header ip) {
  ip.source = 0;
  std::array<u32, sizeof ip / sizeof(u32)> words;
  std::memcpy(words.data(), &ip, sizeof ip);
  return std::accumulate(words.begin(), words.end(), u64{0});
}

}  // namespace

std::span<const PacketCase> packet_cases() { return cases; }

std::vector<FlowKey> prepared_keys(const PacketCase& which) {
  std::vector<FlowKey> keys;
  keys.reserve(which.connections);
  for (u32 flow = 0; flow < which.connections; ++flow) keys.push_back(key_of_flow(flow, which.family, which.protocol));
  return keys;
}

FlowPlan plan_of(const PacketCase& which) {
  FlowPlan plan{.turn = 0,
                .header_sum = sum_without_client(ipv4_header(which, key_of_packet(which))),
                .multiplier = multiplier,
                .mask = which.connections - 1,
                .first = 0,
                .family = which.family,
                .handshake = which.traffic == Traffic::handshake,
                .zero = {}};
  if (begins_connections(which)) {
    plan.first = 1U << 31;  // none of those that are there
    plan.mask = plan.first - 1;
  }
  return plan;
}

std::vector<u8> frame_of(const PacketCase& which) {
  const FlowKey key = key_of_packet(which);
  std::vector<u8> frame;
  const be16 type = which.family == Family::ipv4 ? ethertype_ipv4 : ethertype_ipv6;
  append(frame, EthernetHeader{.destination = {0x02, 0, 0, 0, 0, 1}, .source = {0x02, 0, 0, 0, 9, 9}, .type = type});
  if (which.family == Family::ipv4)
    append(frame, ipv4_header(which, key));
  else
    append(frame, ipv6_header(which, key));
  append_transport(frame, which, key);
  return frame;
}

bool is_forwarded(const PacketCase& which) {
  return which.traffic != Traffic::unserved && which.traffic != Traffic::not_virtual;
}

u32 connections_made(const PacketCase& which, u32 packets) {
  if (which.traffic == Traffic::handshake) return packets / 2;
  return which.traffic == Traffic::fresh ? packets : 0;
}

}  // namespace penstock::bench
