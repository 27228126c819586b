#include "control/sweeper.hpp"

#include <utility>

#include "datapath/core/balance.hpp"
#include "datapath/native/native_platform.hpp"

namespace penstock::control {

// The packet path without a packet: its tables, and what it does about them.
class Bystander {
 public:
  Bystander(const Tables& tables, u32 now) : platform_(tables, frame_, now, 0, tables.config.cpus - 1) {}

  NativePlatform& platform() { return platform_; }

  // Ends the record, and with a request its reply's; false: it changed meanwhile.
  bool end(const Found<Connection>& found) {
    NativePlatform& p = platform_;
    const bool ended = end_record(ConnectionTable<NativePlatform>{p}, found, p.now(),
                                  [&p](const Connection& record, u64 word) { account_for_end(p, record, word); });
    end_replies(p, *p.work());
    return ended;
  }

  // A reply's record for a request, unless the real server's packets find one, or another connection. Nothing has to give way to it.
  void bind_replies_again(const Flow& request) {
    NativePlatform& p = platform_;
    Work& work = *p.work();
    const FlowKey key = key_of(request);
    const RealServer* server = p.server(request.server);
    if (server == nullptr) return;
    if (find_answered(p, work, reply_key_of(p, belonging_of(*request.found.record), key, *server)).found.record) return;
    work.packet.key = key;
    work.packet.tag = {};  // the client's VLAN tag is not known any more
    take_route(work, request, route_of(server));
    work.insertion.timeout = expires_of(request.found.word) - p.now();
    work.insertion.content.detail = request.detail;
    prepare_reply(p, work);
    work.insertion.state = state_of(request.found.word);
    work.insertion.evicts = false;
    save_reply(p, work);
    end_replies(p, work);  // of what was over in the slot that it took
  }

 private:
  FrameBuffer frame_{{}};
  NativePlatform platform_;
};

namespace {

u32 ticks(const Tables& tables, std::chrono::milliseconds time) {
  return static_cast<u32>(static_cast<u64>(time.count()) * tables.settings->ticks_per_second / 1000);
}

std::chrono::milliseconds time_of(const Tables& tables, s32 ticks) {
  return std::chrono::milliseconds(s64{ticks} * 1000 / tables.settings->ticks_per_second);
}

// What the record's time is counted from, after each of its packets.
u32 timeout_of(const Settings& settings, const Connection& record, u32 state) {
  if (load_acquire(&record.key.role) == Role::persistence) return static_cast<u32>(load_acquire(&record.detail));
  const u8 protocol = load_acquire(&record.key.protocol);
  if (protocol == protocol_tcp) return load_acquire(&machine_of(settings, Machine::tcp).timeout[state]);
  if (protocol == protocol_sctp) return load_acquire(&machine_of(settings, Machine::sctp).timeout[state]);
  return load_acquire(&machine_of(settings, Machine::udp).timeout[0]);
}

// Which service a template belongs to. FTP's is not found by it.
ServiceKey service_of_template(const FlowKey& key) {
  if (key.protocol != 0) return service_key(key, key.vip_port);
  const u32 mark = host(static_cast<be32>(static_cast<u32>(key.vip.low)));
  return {.vip = {}, .port = {}, .protocol = 0, .family = key.family, .mark = mark};
}

bool is_one_packet_template(NativePlatform& p, const FlowKey& key) {
  Offer offer{};
  return find_offer(p, service_of_template(key), offer) && (offer.flags & service_one_packet) != 0;
}

// What FTP's data connections and the control connections that made them have in common: the client's address and the virtual one. Any
// control connection between these outlives them, where IPVS's knows its own.
FlowKey control_key(const FlowKey& connection) {
  FlowKey key = connection;
  key.client_port = be16{};
  key.vip_port = ftp_port;
  return key;
}

bool is_ftp_control(const Connection& record) {
  return record.key.role == Role::request && record.key.vip_port == ftp_port && is_tcp(record.key) &&
         method_of(load_acquire(&record.traits)) == Method::nat;
}

}  // namespace

void Sweeper::sweep_claim(u32 bucket, u32 index, u32 now, Swept& swept) const {
  Connection& record = tables_.connections[bucket].records[index];
  const u64 word = load_acquire(&record.word);
  const bool stale = is_past(expires_of(word), now - tables_.settings->ticks_per_second);
  const Found<Connection> found{&record, word, bucket, index};
  if (stale && end_record(tables_.connection_table(), found, now, [](const Connection&, u64) {})) ++swept.claims_freed;
}

// A reply's time is its request's.
void Sweeper::keep_reply(Bystander& bystander, const Found<Connection>& reply) {
  Connection& record = *reply.record;
  const u64 word = reply.word;
  const Flow flow = flow_of(reply);
  const Flow request = flow.found.record ? find_request(bystander.platform(), flow, Guess::present) : no_flow;
  if (!request.found.record) return;
  const u64 kept = with_state(word, state_of(request.found.word), expires_of(request.found.word));
  if (kept != word) compare_exchange(&record.word, word, kept);
}

// Of two connections that a real server can't tell apart the newer one gets the replies; the older one gets them back when that has
// ended (IPVS). FTP's client that is expected has no port yet, and so no replies.
void Sweeper::keep_answered(Bystander& bystander, const Found<Connection>& request) {
  const Connection& record = *request.record;
  const u8 traits = load_acquire(&record.traits);
  if (method_of(traits) != Method::nat || is_found_in_place(traits) || record.key.client_port == be16{}) return;
  const Flow flow = flow_of(request);
  if (flow.found.record) bystander.bind_replies_again(flow);
}

// A shift's time is its connection's; without one that is shifted it is over.
void Sweeper::keep_shift(Bystander& bystander, Connection& record, u64 word) {
  FlowKey key = record.key;
  key.role = Role::request;
  const Flow request = find_flow(bystander.platform(), key, Guess::present);
  const bool is_used = request.found.record && (request.traits & trait_mangled) != 0;
  const u32 expiry = is_used ? expires_of(request.found.word) : bystander.platform().now();
  const u64 kept = with_state(word, is_used ? state_of(request.found.word) : 0, expiry);
  if (kept != word) compare_exchange(&record.word, word, kept);
}

bool Sweeper::has_children(const FlowKey& parent) const {
  const u64 hash = hash_of(tables_.config.hash_key, parent);
  return children_.contains(hash) || former_children_.contains(hash);
}

// Whether a record ends soon that others depend on, which name it by `parent`.
bool Sweeper::is_needed(const FlowKey& parent, u64 word, u32 now) const {
  return is_past(expires_of(word) - ticks(tables_, template_notice), now) && has_children(parent);
}

void Sweeper::keep_control(Connection& record, u64 word, u32 now) const {
  if (!is_ftp_control(record)) return;
  if (!is_needed(control_key(record.key), word, now)) return;
  const u32 expiry = expires_of(word) + ticks(tables_, template_extension);
  compare_exchange(&record.word, word, with_state(word, state_of(word), expiry));
}

void Sweeper::keep_template(Connection& record, u64 word, u32 now) const {
  if (!is_needed(record.key, word, now)) return;
  const u32 extension = ticks(tables_, template_extension);
  store_release(&record.detail, u64{extension});  // IPVS: from now on this is its timeout
  const u32 expiry = expires_of(word) + extension;
  compare_exchange(&record.word, word, with_state(word, state_of(word), expiry));
}

void Sweeper::note_child(Bystander& bystander, const Connection& record) {
  NativePlatform& p = bystander.platform();
  p.work()->packet.key = record.key;
  if (load_acquire(&record.traits) & trait_own_port)
    children_.insert(hash_of(tables_.config.hash_key, control_key(record.key)));
  if (!find_service(p, *p.work())) return;
  children_.insert(hash_of(tables_.config.hash_key, template_key(record.key, p.work()->offer)));
}

// What was noted of children is as old as a walk: a parent that was just used, or that no whole walk has come by, may have more.
bool Sweeper::may_have_children(const FlowKey& parent, std::chrono::milliseconds idle) const {
  return !has_walked_ || idle < template_notice || has_children(parent);
}

// Idle is reckoned by the timeouts of now: if they were changed since the connection's last packet, wrongly until its next one.
Entry Sweeper::entry_of(Bystander& bystander, const Connection& record, u64 word) const {
  NativePlatform& p = bystander.platform();
  const u32 state = state_of(word);
  const u32 timeout = timeout_of(*tables_.settings, record, state);
  const auto idle = time_of(tables_, static_cast<s32>(timeout - (expires_of(word) - p.now())));
  Entry entry{.role = load_acquire(&record.key.role),
              .protocol = load_acquire(&record.key.protocol),
              .state = state,
              .traits = load_acquire(&record.traits),
              .idle = idle,
              .has_children = false,
              .is_one_packet = false};
  if (is_ftp_control(record)) entry.has_children = may_have_children(control_key(record.key), idle);
  if (entry.role != Role::persistence) return entry;
  entry.has_children = may_have_children(record.key, idle);
  entry.is_one_packet = is_one_packet_template(p, record.key);
  return entry;
}

void Sweeper::drop_entries(Bystander& bystander, u32 bucket, Swept& swept) {
  for (u32 index = 0; index < records_per_bucket; ++index) {
    Connection& record = tables_.connections[bucket].records[index];
    const u64 word = load_acquire(&record.word);
    if (!is_live(word) || !dropper_.takes(entry_of(bystander, record, word))) continue;
    swept.dropped += bystander.end({&record, word, bucket, index});
  }
}

void Sweeper::sweep_record(Bystander& bystander, u32 bucket, u32 index, Swept& swept) {
  const u32 now = bystander.platform().now();
  Connection& record = tables_.connections[bucket].records[index];
  u64 word = load_acquire(&record.word);
  if (word == 0) return;
  if (!is_live(word)) return sweep_claim(bucket, index, now, swept);
  const Role role = load_acquire(&record.key.role);
  if (role == Role::reply) keep_reply(bystander, {&record, word, bucket, index});
  if (role == Role::shift) keep_shift(bystander, record, word);
  if (role == Role::persistence) keep_template(record, word, now);
  if (role == Role::request) keep_control(record, word, now);
  word = load_acquire(&record.word);
  if (!is_live(word)) return;
  if (is_past(expires_of(word), now)) {
    swept.ended += bystander.end({&record, word, bucket, index});
    return;
  }
  if (role != Role::request) return;
  keep_answered(bystander, {&record, word, bucket, index});
  if (load_acquire(&record.traits) & trait_controlled) note_child(bystander, record);
}

void Sweeper::end_walk() {
  former_children_ = std::exchange(children_, {});
  has_walked_ = true;
  SharedState* shared = tables_.shared;
  for (u64* until : {&shared->full_until, &shared->expected_until}) forget_past(until, clock_.ticks());
}

Swept Sweeper::advance() {
  const std::chrono::milliseconds now = clock_.steady();
  const u64 period = static_cast<u64>(sweep_period.count());
  const u64 elapsed = static_cast<u64>((now - last_).count());
  const u64 due = buckets() * elapsed / period;
  if (due == 0) return {};  // the time adds up
  if (due > buckets()) {
    last_ = now;
    return sweep(buckets());
  }
  last_ += std::chrono::milliseconds(due * period / buckets());
  return sweep(due);
}

Swept Sweeper::sweep(u64 count) {
  Swept swept;
  Bystander bystander(tables_, clock_.ticks());
  const bool drops = load_acquire(&tables_.settings->drop_entry) != 0;
  for (u64 i = 0; i < count; ++i) {
    const u32 bucket = static_cast<u32>(position_);
    for (u32 index = 0; index < records_per_bucket; ++index) sweep_record(bystander, bucket, index, swept);
    if (drops && dropper_.draws(sweep_period)) drop_entries(bystander, bucket, swept);
    position_ = position_ + 1 == buckets() ? 0 : position_ + 1;
    if (position_ == 0) end_walk();
  }
  return swept;
}

void end_orphans(const Tables& tables, u32 now) {
  Bystander bystander(tables, now);
  for (u32 bucket = 0; bucket < tables.connections.size(); ++bucket)
    for (u32 index = 0; index < records_per_bucket; ++index) {
      Connection& record = tables.connections[bucket].records[index];
      const u64 word = load_acquire(&record.word);
      if (!is_live(word) || load_acquire(&record.key.role) != Role::request) continue;
      const Flow flow = flow_of({&record, word, bucket, index});
      if (flow.found.record && !is_alive(flow, route_of(&tables.servers[flow.server]))) bystander.end(flow.found);
    }
}

void forget_slots(const Tables& tables, std::span<const u32> slots) {
  for (ConnectionBucket& bucket : tables.connections)
    for (Connection& record : bucket.records) {
      if (!is_live(load_acquire(&record.word)) || load_acquire(&record.key.role) != Role::cache) continue;
      const u64 set = load_acquire(&record.detail);
      u64 rest = set;
      for (const u32 slot : slots)
        if (has_member(rest, slot)) rest = without_member(rest, slot);
      // Whatever came into the record's place meanwhile does not hold this set.
      if (rest != set) compare_exchange(&record.detail, set, rest);
    }
}

}  // namespace penstock::control
