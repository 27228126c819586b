// Penstock's own packet path, its connections prepared by its own functions over the mapped tables.
#include <algorithm>
#include <bit>
#include <fstream>
#include <iterator>
#include <vector>

#include "bench/bpf_object.hpp"
#include "bench/director.hpp"
#include "control/kernel_clock.hpp"
#include "control/loader.hpp"
#include "datapath/native/native_platform.hpp"

namespace penstock::bench {
namespace {

template <typename Row>
void clear(std::span<Row> rows) {
  std::ranges::fill(std::as_writable_bytes(rows), std::byte{});
}

// The client's neighbour, as the driver writes it.
constexpr Way client_way{.address = {0x02, 0, 0, 0, 0x09, 0x09}, .interface = 1};

class OverTables : public PenstockDirector {
 public:
  // `clock`: the program penstock_clock.
  OverTables(std::string name, control::Maps maps, int clock)
      : name_(std::move(name)), maps_(std::move(maps)), clock_(value_or_give_up(control::KernelClock::start(clock))) {}

  [[nodiscard]] const std::string& name() const override { return name_; }

  void serve(const Cluster& cluster) override {
    cluster_ = cluster;
    clear(tables().connections);
    clear(tables().connection_tags);
    clear(tables().services);
    clear(tables().service_tags);
    clear(tables().loads);
    *tables().shared = {};
    write_cluster(tables(), cluster, clock_.ticks_per_second());
    for (const Service& record : service_records(tables(), cluster)) publish(record);
  }

  void establish(const FlowSet& set, u32 count) override {
    NativePlatform platform = present_platform();
    for (u32 flow = 0; flow < count; ++flow) establish_flow(platform, key_of_flow(set, flow), flow);
  }

  void forget(std::span<const FlowKey> keys) override {
    NativePlatform platform = present_platform();
    for (const FlowKey& key : keys) {
      const Flow flow = find_flow(platform, key, Guess::absent);
      if (!flow.found.record) continue;
      end_connection(platform, flow);
      platform.run_end_replies(*platform.work());
    }
  }

  [[nodiscard]] u32 established(const FlowSet& set, u32 count) override {
    NativePlatform platform = present_platform();
    u32 standing = 0;
    for (u32 flow = 0; flow < count; ++flow) {
      const Flow found = find_flow(platform, key_of_flow(set, flow), Guess::present);
      if (found.found.record && state_of(found.found.word) == static_cast<u32>(TcpState::established)) ++standing;
    }
    return standing;
  }

  [[nodiscard]] u64 counted(Reason reason) const override {
    u64 sum = 0;
    for (const ReasonCounters& row : tables().reasons) sum += row.packets[static_cast<u32>(reason)];
    return sum;
  }

  [[nodiscard]] Totals totals() const override {
    Totals sum{};
    for (const ServerCounters& row : tables().counters) {
      sum.packets += row.in_packets + row.out_packets;
      sum.connections += row.connections;
    }
    return sum;
  }

 private:
  [[nodiscard]] const Tables& tables() const { return maps_.tables(); }
  [[nodiscard]] NativePlatform present_platform() { return {tables(), no_frame_, clock_.ticks(), 0}; }

  void establish_flow(NativePlatform& platform, const FlowKey& key, u32 flow) {
    const bool translates = is_translating(cluster_.method);
    const u32 server = first_server + flow % std::min(cluster_.servers, prepared_servers);
    Connection request{};
    request.key = key;
    request.server = static_cast<u16>(server);
    request.generation = 1;
    request.traits = static_cast<u8>(static_cast<u8>(cluster_.method) | (translates ? trait_answered : 0));
    request.detail = std::bit_cast<u64>(client_way);
    if (cluster_.method == Method::fullnat) {
      request.local_address = static_cast<u8>(local_index(flow));
      request.local_port = local_port(flow);
    }
    put(platform, request, request.key);
    if (cluster_.method == Method::nat) return bind_nat(platform, request);
    if (cluster_.method != Method::fullnat) return;
    Connection reply = request;
    reply.key.role = Role::reply;
    reply.generation = 0;  // no VLAN
    const FlowKey name = reply_key_of(platform, belonging_of(request), request.key, tables().servers[server]);
    put(platform, reply, name);
  }

  // The connection that was just put is found by its replies.
  static void bind_nat(NativePlatform& platform, const Connection& request) {
    Work& work = *platform.work();
    work.packet.key = request.key;
    work.route = {.server = request.server,
                  .next_hop = no_next_hop,
                  .record = no_record,
                  .traits = request.traits,
                  .local_address = 0,
                  .local_port = {}};
    Next next = bind_replies(platform, work);
    if (next == Next::then_insert_reply) next = insert_reply(platform, work);
    if (next != Next::then_forward) give_up("no place for a connection's replies");
  }

  void put(NativePlatform& platform, const Connection& content, const FlowKey& name) {
    Work& work = *platform.work();
    Insertion& insertion = work.insertion;
    prepare_insertion(insertion, content.key, hash_of(tables().config.hash_key, name), content.server,
                      content.generation);
    work.wanted = name;
    insertion.content.traits = content.traits;
    insertion.content.local_address = content.local_address;
    insertion.content.local_port = content.local_port;
    insertion.content.detail = content.detail;
    insertion.state = is_tcp(content.key) ? static_cast<u32>(TcpState::established) : 0;
    insertion.timeout = established_timeout_s * clock_.ticks_per_second();
    content.key.role == Role::reply ? save_reply(platform, work) : save(platform, work);
    if (!insertion.saved) give_up("no place for a connection");
  }

  void publish(const Service& record) {
    const auto nothing_ends = [](const Service&, u64) {};
    const Place place = place_of(hash_of(tables().config.hash_key, record.key), tables().config.service_buckets);
    if (!insert_record(tables().service_table(), place, record, 0, 0, 0, WhenFull::refuse, nothing_ends).stored)
      give_up("no place for a service");
  }

  std::string name_;
  control::Maps maps_;
  control::KernelClock clock_;
  Cluster cluster_;
  FrameBuffer no_frame_{{}};
};

class BuiltIn final : public OverTables {
 public:
  explicit BuiltIn(control::LoadedProgram loaded)
      : OverTables("penstock", std::move(loaded.maps), loaded.programs.clock.fd()),
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

class FromFile final : public OverTables {
 public:
  FromFile(std::string name, OtherBuild build)
      : OverTables(std::move(name), std::move(build.maps), build.object->program("penstock_clock")),
        object_(std::move(build.object)) {}
  [[nodiscard]] int program() const override { return object_->program("penstock_xdp"); }

 private:
  std::unique_ptr<BpfObject> object_;
};

}  // namespace

std::unique_ptr<PenstockDirector> penstock_director() {
  return std::make_unique<BuiltIn>(value_or_give_up(control::load(bench_config())));
}

std::unique_ptr<PenstockDirector> penstock_director(const std::string& object_file) {
  const std::size_t slash = object_file.rfind('/');
  return std::make_unique<FromFile>(object_file.substr(slash == std::string::npos ? 0 : slash + 1),
                                    load_other_build(object_file));
}

}  // namespace penstock::bench
