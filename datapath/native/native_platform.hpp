// The native platform: the packet path over plain memory, with a clock that only moves when it is told to.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "datapath/core/balance.hpp"
#include "datapath/native/tables.hpp"

namespace penstock {

// A frame with room before it, placed as the kernel places frames: the IP header is aligned to 4 bytes.
class FrameBuffer {
 public:
  static constexpr std::size_t headroom =
      256 + 2;  // XDP_PACKET_HEADROOM, and Ethernet's 14 bytes up to a multiple of 4

  static constexpr std::size_t tailroom = 64;

  // As a TC program may find it: many packets in one, with so many bytes behind the transport header of each; a transport checksum
  // that is to be completed.
  u32 segment_payload = 0;
  bool owes_checksum = false;

  explicit FrameBuffer(std::span<const u8> frame) : bytes_(headroom + frame.size() + tailroom), begin_(headroom) {
    if (!frame.empty()) std::memcpy(bytes_.data() + begin_, frame.data(), frame.size());
    end_ = headroom + frame.size();
  }

  [[nodiscard]] u8* begin() { return bytes_.data() + begin_; }
  [[nodiscard]] u8* end() { return bytes_.data() + end_; }
  [[nodiscard]] std::span<const u8> frame() const { return {bytes_.data() + begin_, end_ - begin_}; }

  [[nodiscard]] bool grow_head(std::size_t count) {
    if (count > begin_) return false;
    begin_ -= count;
    return true;
  }

  [[nodiscard]] bool shrink_head(std::size_t count) {
    if (begin_ + count > end_) return false;
    begin_ += count;
    return true;
  }

  [[nodiscard]] bool grow_tail(std::size_t count) {
    if (end_ + count > bytes_.size()) return false;
    std::memset(bytes_.data() + end_, 0, count);
    end_ += count;
    return true;
  }

  [[nodiscard]] bool cut_to(std::size_t length) {
    if (begin_ + length > end_) return false;
    end_ = begin_ + length;
    return true;
  }

 private:
  std::vector<u8> bytes_;
  std::size_t begin_;
  std::size_t end_ = 0;
};

class NativePlatform {
 public:
  // What is done to a packet: as the kernel does it; or the second half of that, for a packet that had to wait (it may leave in
  // fragments) or that is to be fragmented (it has been counted, too).
  enum class Run { whole, after_waiting, to_fragment };

  // `ingress`: index of the interface the frame came in by.
  NativePlatform(const Tables& tables, FrameBuffer& frame, u32 now, u32 ingress, u32 cpu = 0, Run run = Run::whole)
      : tables_(tables), frame_(frame), now_(now), ingress_(ingress), cpu_(cpu), run_(run) {}

  [[nodiscard]] u8* data() const { return frame_.begin(); }
  [[nodiscard]] u8* data_end() const { return frame_.end(); }
  [[nodiscard]] u32 length() const { return static_cast<u32>(frame_.frame().size()); }
  [[nodiscard]] static bool reach(u32) { return true; }
  [[nodiscard]] bool open_head(u32 count) { return frame_.grow_head(count); }
  [[nodiscard]] bool grow_head(u32 count) { return open_head(count); }
  [[nodiscard]] bool wrap(const Wrapping&, u32 count) { return open_head(count); }
  [[nodiscard]] bool shrink_head(u32 count) { return frame_.shrink_head(count); }
  [[nodiscard]] bool change_family(Family, u32 before, u32 after) {
    return before <= after ? open_head(after - before) : shrink_head(before - after);
  }
  [[nodiscard]] bool grow_tail(u32 count) { return frame_.grow_tail(count); }
  [[nodiscard]] bool cut_to(u32 length) { return frame_.cut_to(length); }
  [[nodiscard]] bool copy_frame(u32 punted_row, u32 length) {
    std::memcpy(tables_.punted[punted_row].bytes, frame_.begin(), length);
    return true;
  }
  [[nodiscard]] static bool is_tagged(be16 type) { return is_tag(type); }
  [[nodiscard]] VlanTag take_tag() { return take_tag_of_frame(*this); }
  [[nodiscard]] bool put_tag(const VlanTag& tag) { return put_tag_into_frame(*this, tag); }
  [[nodiscard]] u32 segment_payload() const { return frame_.segment_payload; }
  [[nodiscard]] bool owes_checksum(u32) const { return frame_.owes_checksum; }
  [[nodiscard]] bool change_checksum(u16* checksum, u32, const ChecksumChange& change) const {
    *checksum = frame_.owes_checksum ? fold(*checksum + change.pseudo_header) : changed_checksum(*checksum, change);
    return true;
  }
  [[nodiscard]] bool fragments() const { return run_ != Run::whole; }
  [[nodiscard]] bool was_counted() const { return run_ == Run::to_fragment; }
  [[nodiscard]] u32 now() const { return now_; }
  [[nodiscard]] const Config& config() const { return tables_.config; }
  [[nodiscard]] u32 ingress_index() const { return ingress_; }
  [[nodiscard]] const Interface* interface(u32 index) { return row(tables_.interfaces, index); }
  [[nodiscard]] const Settings* settings() { return tables_.settings; }
  [[nodiscard]] const VipFilter* vip_filter() { return tables_.vip_filter; }
  [[nodiscard]] SharedState* shared() { return tables_.shared; }
  [[nodiscard]] ConnectionBucket* connection_bucket(u32 index) { return row(tables_.connections, index); }
  [[nodiscard]] u64* connection_tags(u32 index) { return row(tables_.connection_tags, index); }
  [[nodiscard]] ServiceBucket* service_bucket(u32 index) { return row(tables_.services, index); }
  [[nodiscard]] u64* service_tags(u32 index) { return row(tables_.service_tags, index); }
  [[nodiscard]] const RealServer* server(u32 slot) { return row(tables_.servers, slot); }
  [[nodiscard]] ServerLoad* load(u32 slot) { return row(tables_.loads, slot); }
  [[nodiscard]] ServerCounters* counters(u32 slot) { return row(tables_.counters, slot * tables_.config.cpus + cpu_); }
  [[nodiscard]] ReasonCounters* reason_counters() { return row(tables_.reasons, cpu_); }
  [[nodiscard]] const NextHop* next_hop(u32 index) { return hop_ = row(tables_.next_hops, index); }
  [[nodiscard]] u64* schedule_cell(u32 index) { return row(tables_.schedules, index); }
  [[nodiscard]] const MarkRule* mark_rule(u32 index) { return &tables_.mark_rules->rules[index]; }
  [[nodiscard]] const OwnPrefixes* own_prefixes() { return tables_.own_prefixes; }
  [[nodiscard]] const LocalPool* local_pool() { return tables_.local_pool; }
  [[nodiscard]] PuntedFrame* punted(u32 index) { return row(tables_.punted, index); }
  [[nodiscard]] Work* work() { return &work_; }

  [[nodiscard]] Next leave_by(u32 interface) {
    egress_ = interface;
    return interface == ingress_ ? Next::transmit : Next::redirect;
  }

  void examine_all(Work& work);

#define PEN_NATIVE_STEP(name) u32 run_##name(Work& work);
  PEN_STEPS(PEN_NATIVE_STEP)
#undef PEN_NATIVE_STEP

  [[nodiscard]] u32 egress() const { return egress_; }
  // The last one that was looked up: the packet's, if it went to a real server.
  [[nodiscard]] const NextHop* hop() const { return hop_; }

 private:
  template <typename Row>
  static Row* row(std::span<Row> rows, u32 index) {
    return index < rows.size() ? &rows[index] : nullptr;
  }

  const Tables& tables_;
  FrameBuffer& frame_;
  u32 now_;
  u32 ingress_;
  u32 cpu_;
  Run run_;
  u32 egress_ = 0;
  const NextHop* hop_ = nullptr;
  Work work_{};
};

static_assert(Platform<NativePlatform>);

// The packet path, compiled once for all who run it natively.
[[nodiscard]] Verdict balance(NativePlatform& platform);

struct PacketResult {
  Verdict verdict;
  u32 interface;  // it leaves by; meaningful for transmit and redirect
  std::vector<u8> frame;
};

// Takes one frame through the packet path.
[[nodiscard]] PacketResult process(const Tables& tables, std::span<const u8> frame, u32 now, u32 ingress);

// One frame that the director's own kernel sends: as it then leaves.
[[nodiscard]] std::vector<u8> process_own(const Tables& tables, std::span<const u8> frame, u32 now);

}  // namespace penstock
