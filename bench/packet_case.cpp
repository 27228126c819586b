#include "bench/packet_case.hpp"

#include <array>
#include <cstring>
#include <numeric>

#include "datapath/core/checksum.hpp"

namespace penstock::bench {
namespace {

constexpr u32 many_clients = 1U << 24;
constexpr u32 datagrams = 1U << 16;

bool begins_connections(const PacketCase& which) {
  return which.traffic == Traffic::fresh || which.traffic == Traffic::fresh_clients ||
         which.traffic == Traffic::handshake;
}

bool is_of_fragments(const PacketCase& which) {
  return which.traffic == Traffic::first_fragment || which.traffic == Traffic::later_fragment;
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

template <typename Header>
u64 sum_of_words(const Header& header) {
  std::array<u32, sizeof header / sizeof(u32)> words;
  std::memcpy(&words, &header, sizeof header);
  return std::accumulate(words.begin(), words.end(), u64{0});
}

u16 transport_length(const PacketCase& which) {
  return which.protocol == protocol_tcp ? sizeof(TcpHeader) : sizeof(UdpHeader);
}

be16 fragment_of(const PacketCase& which) {
  if (which.traffic == Traffic::first_fragment) return big(ipv4_more_fragments);
  constexpr u16 second = 8;  // times 8 bytes
  return which.traffic == Traffic::later_fragment ? big(second) : be16{};
}

// Without addresses and checksum.
Ipv4Header ipv4_header(u8 protocol, std::size_t payload) {
  Ipv4Header ip{};
  ip.version_and_words = 0x45;
  ip.length = big(static_cast<u16>(sizeof ip + payload));
  ip.ttl = 64;
  ip.protocol = protocol;
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

void append_transport(std::vector<u8>& frame, const PacketCase& which) {
  if (which.protocol == protocol_udp) {
    append(frame, UdpHeader{.source = {}, .destination = {}, .length = big(u16{sizeof(UdpHeader)}), .checksum = 0});
    return;
  }
  TcpHeader tcp{};
  tcp.data_offset = 0x50;
  tcp.flags = begins_connections(which) ? tcp_syn : tcp_ack;
  append(frame, tcp);
}

Ipv4Header between(Ipv4Header ip, const AddressImage& source, const AddressImage& destination) {
  copy_words(ip.source, source);
  copy_words(ip.destination, destination);
  ip.checksum = static_cast<u16>(~fold(sum_of_words(ip)));
  return ip;
}

// A router on the client's side says that what the virtual service sent was too big; it quotes 28 bytes.
void append_icmp_error(std::vector<u8>& frame, const PacketCase& which) {
  constexpr u32 router = 0x0a636301U;  // 10.99.99.1
  constexpr u16 mtu = 1400;
  const FlowKey key = key_of_flow(prepared_flows(which), 0);
  const Ipv4Header quote = between(ipv4_header(protocol_tcp, 1480), key.vip, key.client);
  struct {
    be16 source, destination;
    u32 sequence;
  } const quoted_ports{key.vip_port, key.client_port, 0};
  IcmpErrorHeader icmp{.type = 3, .code = 4, .checksum = 0, .rest = big(u32{mtu})};
  icmp.checksum = static_cast<u16>(~fold(sum_of_words(icmp) + sum_of_words(quote) + sum_of_words(quoted_ports)));
  const std::size_t payload = sizeof icmp + sizeof quote + sizeof quoted_ports;
  append(frame, between(ipv4_header(protocol_icmp, payload), {.low = ipv4_word(router), .high = 0}, key.vip));
  append(frame, icmp);
  append(frame, quote);
  append(frame, quoted_ports);
}

Sender sender_of(const PacketCase& which) {
  if (which.traffic != Traffic::reply) return Sender::client;
  return which.cluster.method == Method::nat ? Sender::nat_server : Sender::fullnat_server;
}

void take_template(FlowPlan& plan, const std::vector<u8>& frame) {
  constexpr std::size_t begin = 2;
  plan.template_words = static_cast<u8>((frame.size() - begin) / sizeof(u64));
  if (plan.template_words > template_words_max) plan.template_words = template_words_max;
  std::memcpy(plan.words, frame.data() + begin, plan.template_words * sizeof(u64));
}

}  // namespace

FlowSet prepared_flows(const PacketCase& which) { return {.family = which.family, .protocol = which.protocol}; }

FlowPlan plan_of(const PacketCase& which) {
  const std::vector<u8> frame = frame_of(which);
  FlowPlan plan{};
  plan.multiplier = multiplier;
  plan.mask = which.connections - 1;
  plan.client_shift = default_client_shift;
  plan.length = static_cast<u32>(frame.size());
  plan.family = which.family;
  plan.sender = sender_of(which);
  plan.destination = ipv4_word(vip_address);
  if (which.traffic == Traffic::not_virtual) plan.destination = static_cast<u32>(foreign_address(Family::ipv4).low);
  plan.destination_port = big(which.traffic == Traffic::unserved ? unserved_port : service_port);
  plan.handshake = which.traffic == Traffic::handshake;
  plan.resizes = which.cluster.method == Method::tunnel;
  if (which.family == Family::ipv4) {
    Ipv4Header ip;
    std::memcpy(&ip, frame.data() + network_offset, sizeof ip);
    ip.source = ip.destination = 0;
    ip.checksum = 0;
    plan.header_sum = sum_of_words(ip);
  }
  if (which.traffic == Traffic::fresh_clients) {
    plan.client_shift = 0;
    plan.first = many_clients;  // none of those that are there
    plan.mask = many_clients - 1;
  } else if (begins_connections(which)) {
    plan.first = 1U << 31;
    plan.mask = plan.first - 1;
  } else if (is_of_fragments(which)) {
    plan.datagrams = 1;
    plan.mask = datagrams - 1;
  } else if (which.traffic == Traffic::icmp_error) {
    take_template(plan, frame);
  }
  return plan;
}

std::vector<u8> frame_of(const PacketCase& which) {
  const FlowKey key = key_of_flow(prepared_flows(which), 0);
  std::vector<u8> frame;
  const be16 type = which.family == Family::ipv4 ? ethertype_ipv4 : ethertype_ipv6;
  append(frame,
         EthernetHeader{.destination = {0x02, 0, 0, 0, 0, 1}, .source = {0x02, 0, 0, 0, 0x09, 0x09}, .type = type});
  if (which.traffic == Traffic::icmp_error) {
    append_icmp_error(frame, which);
    return frame;
  }
  if (which.family == Family::ipv4) {
    Ipv4Header ip = ipv4_header(which.protocol, transport_length(which));
    ip.fragment = fragment_of(which);
    append(frame, ip);
  } else {
    FlowKey ends = key;
    if (which.traffic == Traffic::not_virtual) ends.vip = foreign_address(Family::ipv6);
    append(frame, ipv6_header(which, ends));
  }
  append_transport(frame, which);
  return frame;
}

std::vector<FlowKey> keys_begun(const PacketCase& which, u32 flow) {
  FlowSet set = prepared_flows(which);
  if (which.traffic == Traffic::fresh_clients) set.client_shift = 0;
  FlowKey key = key_of_flow(set, which.traffic == Traffic::first_fragment ? 0 : flow);
  if (which.traffic == Traffic::first_fragment) {
    key.role = Role::fragment;
    key.client_port = static_cast<be16>(flow);
    key.vip_port = {};
    return {key};
  }
  std::vector<FlowKey> keys{key};
  if (which.cluster.persistent && which.traffic == Traffic::fresh_clients) {
    key.role = Role::persistence;
    key.client_port = {};
    keys.push_back(key);
  }
  return keys;
}

bool is_forwarded(const PacketCase& which) {
  return which.traffic != Traffic::unserved && which.traffic != Traffic::not_virtual;
}

// A datagram in fragments counts once (IPVS).
u32 packets_counted(const PacketCase& which) {
  return is_forwarded(which) && which.traffic != Traffic::later_fragment ? which.packets : 0;
}

u32 connections_made(const PacketCase& which) {
  if (which.traffic == Traffic::handshake) return which.packets / 2;
  return begins_connections(which) ? which.packets : 0;
}

}  // namespace penstock::bench
