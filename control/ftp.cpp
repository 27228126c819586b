#include "control/ftp.hpp"

#include <bit>
#include <cstdlib>
#include <optional>

#include "control/ftp_text.hpp"

namespace penstock::control {
namespace {

// A segment without its VLAN tag, and its connection.
struct Segment {
  Packet packet;
  Flow request;
  FlowKey key;  // the request's
  bool is_reply;
  u32 text;  // offset in the frame
  u32 end;   // of the packet, without Ethernet's padding
};

std::optional<Segment> segment_in(NativePlatform& p) {
  Segment segment{};
  Packet& packet = segment.packet;
  if (!parse_network(p, packet).ok) return std::nullopt;
  if (packet.key.family == Family::ipv6 && !skip_extensions(p, packet).ok) return std::nullopt;
  if (is_fragment(packet) || !parse_transport(p, packet).ok || !is_tcp(packet.key)) return std::nullopt;
  segment.text = packet.transport + (transport_header<TcpHeader>(p, packet)->data_offset >> 4) * 4U;
  segment.end = network_offset + packet.ip_length;
  if (segment.text < packet.transport + sizeof(TcpHeader) || segment.text > segment.end) return std::nullopt;
  const Flow found = find_answered(p, *p.work(), key_from_server(packet.key));
  segment.is_reply = found.found.record != nullptr;
  segment.request = segment.is_reply ? request_of(p, found) : find_flow(p, packet.key, Guess::present);
  if (!segment.request.found.record) return std::nullopt;
  segment.key = segment.request.found.record->key;
  return segment;
}

std::string_view text_of(const NativePlatform& p, const Segment& segment) {
  return {reinterpret_cast<const char*>(p.data() + segment.text), segment.end - segment.text};
}

u64 sum_of_segment(NativePlatform& p, const Packet& packet) {
  const u32 length = network_offset + packet.ip_length - packet.transport;
  return sum_of(p, *p.work(), packet.transport, length) +
         sum_of_pseudo_header(packet.key.client, packet.key.vip, protocol_tcp, length);
}

// Makes `key` a connection of the control connection's server, at that server's port, in which nothing has been said yet (IPVS:
// ip_vs_conn_new, ip_vs_tcp_conn_listen). One that has the key already gives way. False: there is no room.
bool listen(NativePlatform& p, const Segment& control, const FlowKey& key, be16 port) {
  Work& work = *p.work();
  const u64 hash = hash_of(p.config().hash_key, key);
  const Flow former = find_flow(p, key, hash, Guess::absent);
  if (former.found.record) end_connection(p, former);
  end_replies(p, work);
  Insertion& insertion = work.insertion;
  prepare_insertion(insertion, key, hash, control.request.server, control.request.generation);
  insertion.content.traits = static_cast<u8>(Method::nat) | trait_controlled | trait_own_port;
  insertion.content.local_port = port;
  insertion.content.detail = control.request.detail;  // the client's way, as far as we know
  insertion.state = listening;
  insertion.timeout = machine_of(*p.settings(), Machine::tcp).timeout[listening];
  work.packet = control.packet;
  work.packet.key = key;
  work.packet.hash = hash;
  work.route = {.server = control.request.server,
                .next_hop = no_next_hop,
                .record = no_record,
                .traits = insertion.content.traits,
                .local_address = 0,
                .local_port = port};
  save(p, work);
  return insertion.saved;
}

// Replies to what listen() has made.
bool listen_for_replies(NativePlatform& p) {
  Work& work = *p.work();
  Next next = bind_replies(p, work);
  if (next == Next::then_insert_reply) next = insert_reply(p, work);
  if (next == Next::then_give_up) give_up(p, work);
  end_replies(p, work);
  return next == Next::then_forward;
}

// The client will come, from a port of its choice.
bool expect_client(NativePlatform& p, const Segment& control, u16 port) {
  FlowKey key = control.key;
  key.client_port = be16{};
  key.vip_port = big(port);
  if (!listen(p, control, key, big(port))) return false;
  note_expected(p, p.work()->insertion.timeout);
  end_replies(p, *p.work());
  return true;
}

be16 one_less(be16 port) { return big(static_cast<u16>(host(port) - 1)); }

// The real server will come, from the port below its control connection's; to the client it shall be the virtual one's.
bool expect_server(NativePlatform& p, const Segment& control, const FtpDataPort& client) {
  FlowKey key = control.key;
  key.client = client.address;
  key.client_port = big(client.port);
  key.vip_port = one_less(control.key.vip_port);
  const be16 port = server_port(control.request, control.key.vip_port, *p.server(control.request.server));
  return listen(p, control, key, one_less(port)) && listen_for_replies(p);
}

void clear_trait(Connection* record, u8 trait) {
  u64* word = reinterpret_cast<u64*>(&record->server);
  for (;;) {
    const u64 before = load_acquire(word);
    if (compare_exchange(word, before, before & ~(static_cast<u64>(trait) << traits_shift))) return;
  }
}

// The shift of a connection's numbers, as it is and as it will be.
struct Shifting {
  Flow flow;  // its record; none yet
  Shift shift;
};

// With a text at `sequence` that grows by `change` bytes; one that comes again changes nothing. Nothing: more than a shift can say.
std::optional<Shifting> shifting(NativePlatform& p, const Segment& control, u32 sequence, s32 change) {
  Shifting made{.flow = find_flow(p, shift_key(control.key), Guess::absent), .shift = {}};
  const bool stands = made.flow.found.record && made.flow.detail != 0 && (control.request.traits & trait_mangled);
  if (stands) made.shift = std::bit_cast<Shift>(made.flow.detail);
  if (change == 0 || (stands && !is_behind(sequence, made.shift.position))) return made;
  const s32 behind = shift_behind(made.shift) + change;
  if (std::abs(change) > shift_change_max || std::abs(behind) > shift_max) return std::nullopt;
  made.shift = {.position = sequence, .bytes = (static_cast<u32>(behind) & 0xffffff) | static_cast<u32>(change) << 24};
  return made;
}

// The record first, then the trait that leads to it. False: there is no room.
bool record(NativePlatform& p, const Segment& control, const Shifting& shifting) {
  if (shifting.flow.found.record) {
    store_release(&shifting.flow.found.record->detail, std::bit_cast<u64>(shifting.shift));
  } else {
    Work& work = *p.work();
    const FlowKey key = shift_key(control.key);
    prepare_insertion(work.insertion, key, hash_of(p.config().hash_key, key), control.request.server,
                      control.request.generation);
    work.insertion.timeout = expires_of(control.request.found.word) - p.now();
    work.insertion.content.detail = std::bit_cast<u64>(shifting.shift);
    save(p, work);
    end_replies(p, work);
    if (!work.insertion.saved) return false;
  }
  set_trait(control.request.found.record, trait_mangled);
  return true;
}

// The packet in the frame gets `text` in place of a part of its own. Its checksum was right.
bool rewrite(NativePlatform& p, FrameBuffer& frame, Segment& segment, const FtpAnnouncement& said,
             std::string_view text) {
  const u32 change = static_cast<u32>(text.size() - said.length);
  const std::string tail(text_of(p, segment).substr(said.begin + said.length));
  if (!frame.cut_to(segment.text + said.begin) || !frame.grow_tail(text.size() + tail.size())) return false;
  std::memcpy(frame.begin() + segment.text + said.begin, text.data(), text.size());
  if (!tail.empty()) std::memcpy(frame.end() - tail.size(), tail.data(), tail.size());
  const bool is_ipv6 = segment.packet.key.family == Family::ipv6;
  if (!(is_ipv6 ? grow_lengths<sizeof(Ipv6Header)>(p, segment.packet, change)
                : grow_lengths<sizeof(Ipv4Header)>(p, segment.packet, change)))
    return false;
  segment.packet.ip_length += change;
  auto* tcp = transport_header<TcpHeader>(p, segment.packet);
  tcp->checksum = 0;
  tcp->checksum = static_cast<u16>(~fold(sum_of_segment(p, segment.packet)));
  return true;
}

// IPVS wants to have seen PASV or EPSV, and rewrites one answer only; here the answer counts, also when it comes again.
bool take_announcement(NativePlatform& p, FrameBuffer& frame, Segment& segment) {
  const auto said = announcement_in(text_of(p, segment), segment.key.family);
  if (!said) return true;
  const std::string text = announced(*said, segment.key.vip, said->port);
  const u32 sequence = host(transport_header<TcpHeader>(p, segment.packet)->sequence);
  const s32 change = static_cast<s32>(text.size()) - static_cast<s32>(said->length);
  const auto shifted = shifting(p, segment, sequence, change);
  if (!shifted) return true;
  if (!expect_client(p, segment, said->port)) return false;
  if (change != 0 && !record(p, segment, *shifted)) return false;
  return rewrite(p, frame, segment, *said, text);
}

bool take_command(NativePlatform& p, const Segment& segment) {
  const auto client = data_port_in(text_of(p, segment), segment.key.family);
  return !client || expect_server(p, segment, *client);
}

bool read_untagged(NativePlatform& p, FrameBuffer& frame, const VlanTag& tag) {
  auto segment = segment_in(p);
  if (!segment) return true;
  const RealServer* server = p.server(segment->request.server);
  if (!server || !is_alive(segment->request, route_of(server))) return true;
  if (fold(sum_of_segment(p, segment->packet)) != 0xffff) return false;
  segment->packet.tag = tag;
  if (!segment->is_reply) return take_command(p, *segment);
  if (!take_announcement(p, frame, *segment)) return false;
  clear_trait(segment->request.found.record, trait_announces);
  return true;
}

}  // namespace

bool read_ftp(const Tables& tables, FrameBuffer& frame, u32 now, u32 interface) {
  NativePlatform platform(tables, frame, now, interface, tables.config.cpus - 1);
  const VlanTag tag = platform.take_tag();
  const bool goes = read_untagged(platform, frame, tag);
  return (!is_tag(tag.type) || platform.put_tag(tag)) && goes;
}

bool awaits_ftp(const Tables& tables, FrameBuffer& frame, u32 now, u32 interface) {
  NativePlatform platform(tables, frame, now, interface, tables.config.cpus - 1);
  static_cast<void>(platform.take_tag());
  const auto segment = segment_in(platform);
  return segment && (segment->request.traits & trait_announces) != 0;
}

}  // namespace penstock::control
