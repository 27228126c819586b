// Penstock's own packet path, its connections prepared by its own functions over the mapped tables.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "bench/bpf_object.hpp"
#include "bench/cluster.hpp"
#include "bench/director.hpp"
#include "control/kernel_clock.hpp"
#include "control/loader.hpp"
#include "datapath/core/hash.hpp"
#include "datapath/native/native_platform.hpp"

namespace penstock::bench {
namespace {

class PenstockDirector : public Director {
 public:
  // `clock`: the program penstock_clock.
  PenstockDirector(std::string name, control::Maps maps, int clock)
      : name_(std::move(name)), maps_(std::move(maps)), clock_(value_or_give_up(control::KernelClock::start(clock))) {
    write_cluster(tables(), clock_.ticks_per_second());
    for (const ServiceKey& key : service_keys()) publish(key);
  }

  [[nodiscard]] const std::string& name() const override { return name_; }

  void establish(std::span<const FlowKey> keys) override {
    NativePlatform platform = present_platform();
    const Standing established{.state = static_cast<u32>(TcpState::established),
                               .timeout = established_timeout_s * clock_.ticks_per_second()};
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const Standing standing = is_tcp(keys[i]) ? established : Standing{.state = 0, .timeout = established.timeout};
      Insertion insertion{.standing = standing,
                          .server = server_of_turn(i),
                          .generation = 1,
                          .method = Method::direct,
                          .region = Region::established,
                          .saved = 0};
      platform.insert(packet_of(keys[i]), insertion);
      if (!insertion.saved) give_up("no place for a connection");
    }
  }

  void forget(std::span<const FlowKey> keys) override {
    NativePlatform platform = present_platform();
    for (const FlowKey& key : keys) {
      const Flow flow = find_connection(platform, packet_of(key));
      if (flow.found.record) end_connection(platform, flow);
    }
  }

  void forget_all() override {
    std::ranges::fill(std::as_writable_bytes(tables().connections), std::byte{});
    std::ranges::fill(tables().connection_tags, u64{0});
    std::ranges::fill(tables().half_open_tags, u64{0});
    std::ranges::fill(std::as_writable_bytes(tables().half_open), std::byte{});
    std::ranges::fill(std::as_writable_bytes(tables().loads), std::byte{});
  }

  [[nodiscard]] Totals totals() const override {
    Totals sum{};
    for (const ServerCounters& row : tables().counters) {
      sum.packets += row.in_packets;
      sum.connections += row.connections;
    }
    return sum;
  }

 private:
  [[nodiscard]] const Tables& tables() const { return maps_.tables(); }
  [[nodiscard]] NativePlatform present_platform() { return {tables(), no_frame_, clock_.ticks(), 0}; }

  [[nodiscard]] Packet packet_of(const FlowKey& key) const {
    Packet packet{};
    packet.key = key;
    packet.hash = hash_of(tables().config.hash_key, key);
    return packet;
  }

  void publish(const ServiceKey& key) {
    const auto nothing_ends = [](const Service&, u64) {};
    Service record{};
    record.key = key;
    record.schedule = schedule_ref();
    const Place place = place_of(hash_of(tables().config.hash_key, key), tables().config.service_buckets);
    if (!insert_record(tables().service_table(), place, record, 0, 0, 0, WhenFull::refuse, nothing_ends).stored)
      give_up("no place for a service");
    const u32 bit = vip_filter_bit(key.vip);
    tables().vip_filter->bits[bit / 64] |= u64{1} << (bit % 64);
  }

  std::string name_;
  control::Maps maps_;
  control::KernelClock clock_;
  FrameBuffer no_frame_{{}};
};

class BuiltIn final : public PenstockDirector {
 public:
  explicit BuiltIn(control::LoadedProgram loaded)
      : PenstockDirector("penstock", std::move(loaded.maps), loaded.programs.clock.fd()),
        programs_(std::move(loaded.programs)) {}
  [[nodiscard]] int program() const override { return programs_.xdp.fd(); }

 private:
  control::LoadedPrograms programs_;
};

std::vector<unsigned char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) give_up("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct OtherBuild {
  control::Maps maps;
  std::unique_ptr<BpfObject> object;
};

OtherBuild load_other_build(const std::string& path) {
  control::Maps maps = value_or_give_up(control::Maps::create(bench_config()));
  auto object = std::make_unique<BpfObject>(path, read_file(path));
  object->use(maps);
  object->load();
  return {std::move(maps), std::move(object)};
}

class FromFile final : public PenstockDirector {
 public:
  FromFile(std::string name, OtherBuild build)
      : PenstockDirector(std::move(name), std::move(build.maps), build.object->program("penstock_clock")),
        object_(std::move(build.object)) {}
  [[nodiscard]] int program() const override { return object_->program("penstock_xdp"); }

 private:
  std::unique_ptr<BpfObject> object_;
};

}  // namespace

std::unique_ptr<Director> penstock_director() {
  return std::make_unique<BuiltIn>(value_or_give_up(control::load(bench_config())));
}

std::unique_ptr<Director> penstock_director(const std::string& object_file) {
  const std::size_t slash = object_file.rfind('/');
  return std::make_unique<FromFile>(object_file.substr(slash == std::string::npos ? 0 : slash + 1),
                                    load_other_build(object_file));
}

}  // namespace penstock::bench
