#include "control/punted.hpp"

#include <algorithm>
#include <limits>

#include "control/fragmenter.hpp"
#include "control/ftp.hpp"

namespace penstock::control {
namespace {

// A claim lasts for as long as a frame takes to copy. Older ones are of a CPU that will not come back.
constexpr std::chrono::seconds stuck_after{1};

// What FTP's control connection says after a text that doesn't come to be read: its sender will have said both again.
constexpr u32 follower_seconds = 1;

std::span<const u8> frame_in(const PuntedFrame& punted) {
  return std::span(punted.bytes).first(std::min(punted.length, punted_bytes_max));
}

// How the first fragment's record is named. Nothing: the frame is no later fragment after all.
std::optional<FlowKey> awaited_by(const PuntedFrame& punted, const Tables& tables, u32 now) {
  FrameBuffer buffer(frame_in(punted));
  NativePlatform platform(tables, buffer, now, punted.interface);
  Packet packet{};
  if (!parse_network(platform, packet).ok) return std::nullopt;
  if (packet.key.family == Family::ipv6 && !skip_extensions(platform, packet).ok) return std::nullopt;
  return packet.is_later_fragment ? std::optional(fragment_key(packet)) : std::nullopt;
}

// Does what whoever sends the frame would have done, of a frame whose transport checksum was left to that. It is as it came: no
// fragment, and with ports.
void complete_checksum(FrameBuffer& buffer, const Tables& tables, u32 now, u32 interface) {
  NativePlatform platform(tables, buffer, now, interface);
  Work& work = *platform.work();
  work.packet = {};
  const bool is_parsed = parse_network(platform, work.packet).ok &&
                         (work.packet.key.family == Family::ipv4 || skip_extensions(platform, work.packet).ok);
  if (is_parsed && is_sctp(work.packet.key)) static_cast<void>(platform.run_crc(work));
  u16* field = header_at<u16>(platform, transport_offset(work.packet) + checksum_within(work.packet.key));
  if (is_parsed && !is_sctp(work.packet.key) && field != nullptr) {
    const u64 sum =
        sum_of(platform, work, work.packet.transport, network_offset + work.packet.ip_length - work.packet.transport);
    *field = static_cast<u16>(~fold(sum));
    if (*field == 0) *field = 0xffff;
  }
}

// The frame as it came.
FrameBuffer restored(const PuntedFrame& punted, const Tables& tables, u32 now) {
  FrameBuffer buffer(frame_in(punted));
  if (punted.owes_checksum != 0) complete_checksum(buffer, tables, now, punted.interface);
  NativePlatform platform(tables, buffer, now, punted.interface);
  const VlanTag tag{.type = punted.tag_type, .control = punted.tag_control};
  if (is_tag(tag.type)) static_cast<void>(platform.put_tag(tag));
  return buffer;
}

// Largest IP packet that the way out takes: the next hop's, or the link's where the packet goes back by the client's way.
u32 mtu_of_way(NativePlatform& platform, const Tables& tables, u32 interface) {
  const NextHop* hop = platform.hop();
  if (hop != nullptr && hop->interface == interface) return path_mtu(platform, platform.work()->route.server, *hop);
  const u32 mtu = interface < tables.interfaces.size() ? tables.interfaces[interface].mtu : 0;
  return mtu == 0 ? std::numeric_limits<u32>::max() : mtu;
}

}  // namespace

Punted::Punted(const Tables& tables, const Clock& clock, Sender& sender, Log log)
    : tables_(tables), clock_(clock), sender_(sender), log_(std::move(log)) {}

void Punted::advance() {
  std::optional<u32> now;  // asking costs a system call
  waiting_.clear();
  for (u32 index = 0; index < tables_.punted.size(); ++index) {
    if (load_acquire(&tables_.punted[index].word) == punt_free) {
      rows_[index] = {};
      continue;
    }
    if (!now) now = clock_.ticks();
    look_at(index, *now);
  }
  if (waiting_.size() > waiting_fragments_max) lose_oldest(*now);
}

void Punted::look_at(u32 index, u32 now) {
  const PuntedFrame& punted = tables_.punted[index];
  if (load_acquire(&punted.word) != punt_ready) return free_if_stuck(index);
  rows_[index].claimed_since.reset();
  switch (fate_of(index, now)) {
    case Fate::goes:
      process(punted, now);
      return free(index);
    case Fate::is_lost:
      return free(index);
    case Fate::waits:
      waiting_.push_back(index);
  }
}

void Punted::free_if_stuck(u32 index) {
  Row& row = rows_[index];
  const auto now = clock_.steady();
  if (!row.claimed_since) row.claimed_since = now;
  if (now - *row.claimed_since <= stuck_after) return;
  row = {};
  compare_exchange(&tables_.punted[index].word, punt_claimed, punt_free);
}

void Punted::free(u32 index) {
  rows_[index] = {};
  exchange(&tables_.punted[index].word, punt_free);
}

Punted::Fate Punted::fate_of(u32 index, u32 now) {
  const PuntedFrame& punted = tables_.punted[index];
  const auto waits_for = [&](u32 seconds) {
    return now - punted.ticks >= seconds * clock_.ticks_per_second() ? Fate::is_lost : Fate::waits;
  };
  switch (punted.why) {
    case Punt::early_fragment:
      return has_begun(index, now) ? Fate::goes : waits_for(fragment_seconds);
    case Punt::ftp_follower: {
      FrameBuffer frame(frame_in(punted));
      return awaits_ftp(tables_, frame, now, punted.interface) ? waits_for(follower_seconds) : Fate::goes;
    }
    case Punt::fragmentation:
    case Punt::ftp_text:
      break;
  }
  return Fate::goes;
}

bool Punted::has_begun(u32 index, u32 now) {
  Row& row = rows_[index];
  if (!row.awaited) row.awaited = awaited_by(tables_.punted[index], tables_, now);
  if (!row.awaited) return true;  // there is nothing to wait for
  FrameBuffer none({});
  NativePlatform platform(tables_, none, now, 0);
  return find_flow(platform, *row.awaited, Guess::present).found.record != nullptr;
}

void Punted::process(const PuntedFrame& punted, u32 now) {
  FrameBuffer buffer = restored(punted, tables_, now);
  if (punted.why == Punt::ftp_text && !read_ftp(tables_, buffer, now, punted.interface)) return;
  const auto run =
      punted.why == Punt::fragmentation ? NativePlatform::Run::to_fragment : NativePlatform::Run::after_waiting;
  NativePlatform platform(tables_, buffer, now, punted.interface, tables_.config.cpus - 1, run);
  switch (balance(platform)) {
    case Verdict::transmit:
      return leave(platform, buffer, punted.interface);
    case Verdict::redirect:
      return leave(platform, buffer, platform.egress());
    case Verdict::pass:
      // There is no way to give the kernel a frame as if it had just come.
      if (!told_of_pass_) log_.warn("a packet that had to wait turned out to be for this machine itself: it is lost");
      told_of_pass_ = true;
      return;
    case Verdict::drop:
    case Verdict::aborted:
      return;
  }
}

void Punted::leave(NativePlatform& platform, const FrameBuffer& buffer, u32 interface) {
  const u32 id = static_cast<u32>(spread(tables_.config.hash_key[0] + ++datagrams_));
  const auto frames = fragment(buffer.frame(), mtu_of_way(platform, tables_, interface), id);
  if (frames.empty()) count(platform, Reason::too_big);
  for (const auto& frame : frames) sender_.send(interface, frame);
}

void Punted::lose_oldest(u32 now) {
  const auto age = [&](u32 index) { return now - tables_.punted[index].ticks; };
  std::ranges::sort(waiting_, std::ranges::greater{}, age);
  const u32 surplus = static_cast<u32>(waiting_.size()) - waiting_fragments_max;
  for (const u32 index : std::span(waiting_).first(surplus)) free(index);
}

}  // namespace penstock::control
