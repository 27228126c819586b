// Behind fullnat every client comes from one of the director's local addresses; who it is stands in a TCP option (TOA,
// datapath/core/toa.hpp) of the segment that completes the handshake. pen_toa reads it there and keeps it with the socket;
// pen_peer4 and pen_peer6 answer with it whoever asks for the socket's peer: accept(), getpeername(). Programs need not know.
//
// What a reader would get wrong: the option is believed from the directors' addresses alone, as anybody can write one. And nothing
// is raced: accept() waits for the new socket's lock, which is held until pen_toa has run.
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/tcp.h>

#include "agent/bpf/maps.hpp"
#include "datapath/bpf/helpers.hpp"
#include "datapath/core/tcp_option.hpp"

extern "C" {

struct directors_map {
  int (*type)[BPF_MAP_TYPE_LPM_TRIE];
  int (*max_entries)[penstock::agent::directors_max];
  int (*map_flags)[BPF_F_NO_PREALLOC];
  int (*key_size)[sizeof(penstock::agent::PrefixKey)];
  int (*value_size)[1];
};
PEN_SECTION(".maps") directors_map directors;

struct clients_map {
  int (*type)[BPF_MAP_TYPE_SK_STORAGE];
  int (*map_flags)[BPF_F_NO_PREALLOC];
  int* key;
  penstock::agent::Client* value;
};
PEN_SECTION(".maps") clients_map clients;

PEN_SECTION(".rodata.config") const volatile penstock::agent::ClientConfig config{};
}

namespace penstock::agent {
namespace {

constexpr u32 family_ipv4 = 2;     // AF_INET
constexpr u8 told_bytes_ipv4 = 8;  // kind, length, port, address
constexpr u8 told_bytes_ipv6 = 20;

PEN_INLINE Client* client_of(bpf_sock* socket, u64 flags, const Client* initial) {
  return static_cast<Client*>(
      reinterpret_cast<void* (*)(void*, void*, const void*, u64)>(107)(  // BPF_FUNC_sk_storage_get
          &clients, socket, initial, flags));
}

PEN_INLINE u64 namespace_cookie(void* context) { return reinterpret_cast<u64 (*)(void*)>(122)(context); }

PEN_INLINE bool is_director(const bpf_sock_ops* context) {
  u32 ipv4 = context->remote_ip4;
  PEN_FORGET(ipv4);  // else the loads of both families become one, of an offset that the verifier does not accept
  const u32* ipv6 = context->remote_ip6;
  const PrefixKey key{
      .bits = 128,
      .address = context->family == family_ipv4 ? mapped(ipv4) : AddressKey{{ipv6[0], ipv6[1], ipv6[2], ipv6[3]}}};
  return find(&directors, &key) != nullptr;
}

template <typename Value>
PEN_INLINE const Value* segment_at(const bpf_sock_ops* context, u32 offset) {
  const auto* at = static_cast<const u8*>(context->skb_data) + offset;
  return at + sizeof(Value) <= static_cast<const u8*>(context->skb_data_end) ? reinterpret_cast<const Value*>(at)
                                                                             : nullptr;
}

// Options stand at any byte, and not every machine reads more than one at an odd one.
template <u32 address_bytes>
struct Told {
  u8 kind;
  u8 length;
  u8 port[2];
  u8 address[address_bytes];
};

PEN_INLINE u32 word_at(const u8* bytes) {
  return bytes[0] | static_cast<u32>(bytes[1]) << 8 | static_cast<u32>(bytes[2]) << 16 |
         static_cast<u32>(bytes[3]) << 24;
}

PEN_INLINE be16 port_at(const u8* bytes) { return static_cast<be16>(bytes[0] | bytes[1] << 8); }

PEN_INLINE bool read_option(const bpf_sock_ops* context, u32 at, u8 length, Client& client) {
  if (length == told_bytes_ipv4) {
    const auto* told = segment_at<Told<4>>(context, at);
    if (!told) return false;
    client = {.address = mapped(word_at(told->address)), .port = port_at(told->port), .reserved = 0};
    return true;
  }
  const auto* told = length == told_bytes_ipv6 ? segment_at<Told<16>>(context, at) : nullptr;
  if (!told) return false;
  const u8* address = told->address;
  client = {.address = {{word_at(address), word_at(address + 4), word_at(address + 8), word_at(address + 12)}},
            .port = port_at(told->port),
            .reserved = 0};
  return true;
}

// Among the options of the segment that completed the handshake; the kernel shows its TCP header and no more.
PEN_INLINE bool find_client(const bpf_sock_ops* context, Client& client) {
  u32 at = sizeof(tcphdr);
  PEN_ROLLED
  for (u32 i = 0; i < tcp_option_bytes_max; ++i) {
    const auto* kind = segment_at<u8>(context, at);
    if (!kind || *kind == tcp_option_end) return false;
    if (*kind == tcp_option_none) {
      ++at;
      continue;
    }
    const auto* option = segment_at<TcpOption>(context, at);
    if (!option || option->length < sizeof(TcpOption)) return false;
    if (option->kind == config.option_kind) return read_option(context, at, option->length, client);
    at += option->length;
    if (at >= sizeof(tcphdr) + tcp_option_bytes_max) return false;
  }
  return false;
}

PEN_INLINE void note_client(bpf_sock_ops* context) {
  if (context->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB || namespace_cookie(context) != config.namespace_cookie)
    return;
  bpf_sock* socket = context->sk;
  Client client{};
  if (!socket || !is_director(context) || !find_client(context, client)) return;
  client_of(socket, BPF_SK_STORAGE_GET_F_CREATE, &client);
}

PEN_INLINE bool is_ipv4(const Client& client) {
  const u32* words = client.address.words;
  return words[0] == 0 && words[1] == 0 && words[2] == static_cast<u32>(big(u32{0xffff}));
}

PEN_INLINE const Client* known_client(bpf_sock_addr* context) {
  bpf_sock* socket = context->sk;
  return socket ? client_of(socket, 0, nullptr) : nullptr;
}

}  // namespace
}  // namespace penstock::agent

extern "C" {

PEN_SECTION("sockops") int pen_toa(bpf_sock_ops* context) {
  penstock::agent::note_client(context);
  return 1;
}

// A socket of IPv4 has no words for a client of IPv6: it goes on being the director's local address. Listening on a dual-stack
// socket ([::] without IPV6_V6ONLY) gives every client its address.
PEN_SECTION("cgroup/getpeername4") int pen_peer4(bpf_sock_addr* context) {
  const auto* client = penstock::agent::known_client(context);
  if (client && penstock::agent::is_ipv4(*client)) {
    context->user_ip4 = client->address.words[3];
    context->user_port = static_cast<penstock::u16>(client->port);
  }
  return 1;
}

PEN_SECTION("cgroup/getpeername6") int pen_peer6(bpf_sock_addr* context) {
  const auto* client = penstock::agent::known_client(context);
  if (client) {
    context->user_ip6[0] = client->address.words[0];
    context->user_ip6[1] = client->address.words[1];
    context->user_ip6[2] = client->address.words[2];
    context->user_ip6[3] = client->address.words[3];
    context->user_port = static_cast<penstock::u16>(client->port);
  }
  return 1;
}

PEN_SECTION("license") char penstock_license[] = "Dual MIT/GPL";
}
