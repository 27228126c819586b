// Every reason is reached: one packet, or a few, for each, and nothing else is counted. Who adds a reason adds a case.
#include "datapath/abi/reason.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 web = 80;

const char* const names[] = {
#define PEN_NAME(name, sentence) #name,
    PEN_REASONS(PEN_NAME)
#undef PEN_NAME
};

// One real server by any method, for TCP and UDP.
struct Any : World {
  explicit Any(Method method = Method::direct, const Config& config = World::small()) : World(config) {
    director.add_local_address(inner_address);
    rs = add_rs(11, method);
    for (const u8 protocol : {u8{6}, u8{17}}) director.add_service({vip, web, protocol}, {rs});
  }
  NextHop& hop() { return tables().next_hops[tables().servers[rs].route.next_hop]; }
  u32 rs = 0;
};

// An IPv6 service with an IPv4 server.
struct ToIpv4 : World {
  ToIpv4() {
    director.add_local_address(inner_address);
    director.add_service({vip6, web, 17}, {add_rs(11, Method::fullnat)});
  }
};

Config two_buckets() {
  Config config = World::small();
  config.connection_buckets = 2;
  return config;
}

// The packet path on one CPU, while another takes a packet that begins the same flow: it comes by when the first one's record has
// just been made, and ends it.
struct Interrupted : NativePlatform {
  using NativePlatform::NativePlatform;

  u32 run_connect(Work& work) { return static_cast<u32>(connect(*this, work)); }
  u32 run_settle_insertion(Work& work) {
    (void)NativePlatform::run_settle_insertion(work);
    end_connection(*this, find_peer(*this, peer_of(work.insertion)));
    return 0;
  }
};

// A method that there is none of.
constexpr u8 unknown_method = 6;
static_assert(unknown_method > static_cast<u8>(Method::fullnat) && unknown_method <= method_mask);

void mangle_method_of_all(const Tables& tables) {
  for (ConnectionBucket& bucket : tables.connections)
    for (Connection& record : bucket.records) record.traits = unknown_method;
}

using Case = std::function<void(const std::function<void(World&, const PacketResult&)>&)>;

Frame syn_packet() { return in4().tcp(40000, web, syn); }
Frame answer() { return to_client().ipv4(vip, client, {.ttl = 63}).tcp(web, 40000, syn | ack); }

// The world that a case ends in, and its last packet, are given to `check`.
const std::map<Reason, Case>& cases() {
  static const std::map<Reason, Case> all = {
      {Reason::pass_not_ip,
       [](auto check) {
         Any world;
         check(world, world.send(from_client().ethertype(0x0806).payload(28)));
       }},
      {Reason::pass_other_host,
       [](auto check) {
         Any world;
         check(world, world.send(eth(client_mac, rs_mac(1)).ipv4(client, vip).tcp(1, web, syn)));
       }},
      {Reason::pass_not_virtual,
       [](auto check) {
         Any world;
         check(world, world.send(from_client().ipv4(client, "203.0.113.1").tcp(1, web, syn)));
       }},
      {Reason::pass_no_service,
       [](auto check) {
         Any world;
         check(world, world.send(in4().tcp(1, 81, syn)));
       }},
      {Reason::pass_protocol,
       [](auto check) {
         Any world;
         check(world, world.send(in4().protocol(47).payload(20)));
       }},
      {Reason::pass_icmp,
       [](auto check) {
         Any world;
         check(world, world.send(in4().icmp(8, 0).payload(20)));
       }},
      {Reason::pass_malformed,
       [](auto check) {
         Any world;
         check(world, world.send(in4().protocol(6).payload(19)));
       }},
      {Reason::pass_no_connection,
       [](auto check) {
         Any world;
         check(world, world.send(in4().tcp(1, web, ack)));
       }},
      {Reason::pass_no_reply,
       [](auto check) {
         Any world(Method::nat);
         check(world, world.reply(from_rs(11).ipv4(rip(11), client).tcp(web, 1, ack)));
       }},
      {Reason::pass_local,
       [](auto check) {
         Any world;
         world.hop().state = NextHopState::local;
         check(world, world.send(syn_packet()));
       }},
      {Reason::pass_bypass,
       [](auto check) {
         World world;
         world.settings().cache_bypass = 1;
         world.director.add_service({.vip = vip, .mark = 1}, {});
         world.director.add_mark({.mark = 1, .family = Family::ipv4});
         check(world, world.send(syn_packet()));
       }},
      {Reason::pass_unresolved,
       [](auto check) {
         Any world(Method::nat);
         world.hop().state = NextHopState::unresolved;
         check(world, world.send(syn_packet()));
       }},
      {Reason::no_destination,
       [](auto check) {
         Any world;
         world.director.load(world.rs).weight = 0;
         check(world, world.send(syn_packet()));
       }},
      {Reason::no_reply_connection,
       [](auto check) {
         Any world(Method::nat);
         world.settings().nat_icmp_send = 1;
         world.director.add_server_port({rip(11), web, 6});
         check(world, world.reply(from_rs(11).ipv4(rip(11), client).tcp(web, 1, ack)));
       }},
      {Reason::ttl_exceeded,
       [](auto check) {
         Any world;
         check(world, world.send(in4({.ttl = 1}).tcp(1, web, syn)));
       }},
      {Reason::too_big,
       [](auto check) {
         Any world;
         check(world, world.send(in4({.dont_fragment = true}).udp(1, web).payload(1473)));
       }},
      {Reason::drop_packet,
       [](auto check) {
         Any world;
         world.settings().drop_rate = 1;
         check(world, world.send(syn_packet()));
       }},
      {Reason::server_removed,
       [](auto check) {
         Any world;
         (void)world.send(syn_packet());
         world.director.server(world.rs).route.available = 0;
         check(world, world.send(syn_packet()));
       }},
      {Reason::next_hop_unresolved,
       [](auto check) {
         Any world;
         world.hop().state = NextHopState::unresolved;
         check(world, world.send(syn_packet()));
       }},
      {Reason::connection_table_full,
       [](auto check) {
         Any world(Method::nat, two_buckets());
         for (u16 port = 1001; world.counted(Reason::connection_table_full) == 0 && port < 1100; ++port)
           (void)world.send(in4().udp(port, web));
         world.tables().reasons[0] = {};
         check(world, world.send(in4().udp(2000, web)));
       }},
      {Reason::superseded,
       [](auto check) {
         Any world(Method::nat);
         FrameBuffer buffer(syn_packet().bytes());
         Interrupted platform(world.tables(), buffer, world.now, outer_link);
         const Verdict verdict = balance(platform);
         check(world, {.verdict = verdict, .interface = outer_link, .frame = {}});
       }},
      {Reason::local_ports_exhausted,
       [](auto check) {
         Any world(Method::fullnat);
         world.tables().local_pool->count[0] = 0;
         check(world, world.send(syn_packet()));
       }},
      {Reason::loopback_server,
       [](auto check) {
         World world;
         const u32 hop = world.add_hop(11, 1500, NextHopState::local);
         const u32 rs = world.director.add_server({.address = "127.0.0.1", .next_hop = hop, .method = Method::nat});
         world.director.add_service({vip, web, 6}, {rs});
         check(world, world.send(in4().tcp(40000, web, syn)));
       }},
      {Reason::icmp_ttl_exceeded,
       [](auto check) {
         Any world;
         (void)world.send(syn_packet());
         check(world, world.send(in4({.ttl = 1}).icmp(3, 1).payload(answer().packet())));
       }},
      {Reason::icmp_checksum,
       [](auto check) {
         Any world;
         (void)world.send(syn_packet());
         Bytes error = in4().icmp(3, 1).payload(answer().packet());
         error[36] ^= 1;
         check(world, world.send(error));
       }},
      {Reason::icmp_taken,
       [](auto check) {
         Any world(Method::tunnel);
         const PacketResult sent = world.send(syn_packet());
         const Bytes outer(sent.frame.begin() + 14, sent.frame.end());
         check(world, world.reply(from_rs(9).ipv4("10.9.9.9", inner_address).icmp(3, 4, 1400).payload(outer)));
       }},
      {Reason::icmp_no_destination,
       [](auto check) {
         Any world;
         world.settings().schedule_icmp = 1;
         world.director.load(world.rs).weight = 0;
         check(world, world.send(in4().icmp(3, 1).payload(answer().packet())));
       }},
      {Reason::icmp_untranslatable,
       [](auto check) {
         ToIpv4 world;
         const Bytes sent = world.send(in6().udp(1, web)).frame;
         world.tables().reasons[0] = {};
         check(world,
               world.reply(from_rs(11).ipv4(rip(11), inner_address).icmp(3, 14).payload(View(sent).subspan(14))));
       }},
      {Reason::no_checksum,
       [](auto check) {
         ToIpv4 world;
         const Bytes sent = world.send(in6().udp(1, web)).frame;
         const u16 port = static_cast<u16>(sent.at(34) << 8 | sent.at(35));
         const Frame answer = from_rs(11).ipv4(rip(11), inner_address).udp(web, port).without_checksum().payload(100);
         check(world, world.reply(answer.fragment(0, 64)));
       }},
      {Reason::fragment_waits,
       [](auto check) {
         Any world;
         check(world, world.send(in4().udp(1, web).payload(1000).fragment(512, 256)));
       }},
      {Reason::to_be_fragmented,
       [](auto check) {
         Any world;
         check(world, world.send(in4().udp(1, web).payload(1473)));
       }},
      {Reason::ftp_text,
       [](auto check) {
         World world;
         const u32 rs = world.add_rs(11, Method::nat);
         world.director.add_service({vip, 21, 6}, {rs});
         for (const u8 flags : {syn, ack}) (void)world.send(in4().tcp(40000, 21, flags));
         check(world, world.send(in4().tcp(40000, 21, ack).payload(Bytes{'P', 'O', 'R', 'T'})));
       }},
      {Reason::punt_full,
       [](auto check) {
         Any world;
         for (PuntedFrame& row : world.tables().punted) row.word = punt_ready;
         check(world, world.send(in4().udp(1, web).payload(1473)));
       }},
      {Reason::no_room,
       [](auto check) {
         Any world(Method::tunnel);
         FrameBuffer buffer = with_headroom(syn_packet().bytes(), 2);
         NativePlatform platform(world.tables(), buffer, world.now, outer_link);
         const Verdict verdict = balance(platform);
         check(world, {.verdict = verdict, .interface = outer_link, .frame = {}});
       }},
      {Reason::bug,
       [](auto check) {
         Any world;
         (void)world.send(syn_packet());
         mangle_method_of_all(world.tables());
         check(world, world.send(syn_packet()));
       }},
      {Reason::stateless,
       [](auto check) {
         Any world(Method::direct, two_buckets());
         for (u16 port = 1001; world.counted(Reason::stateless) == 0 && port < 1100; ++port)
           (void)world.send(in4().udp(port, web));
         world.tables().reasons[0] = {};
         check(world, world.send(in4().udp(2000, web)));
       }},
      {Reason::toa_no_room,
       [](auto check) {
         Any world(Method::fullnat);
         (void)world.send(syn_packet());
         check(world, world.send(in4().tcp(40000, web, ack).payload(1460)));
       }},
      {Reason::tunnel_not_summed,
       [](auto check) {
         Any world(Method::tunnel);
         RealServer& server = world.tables().servers[world.rs];
         server.tunnel = TunnelType::gre;
         server.tunnel_checksum = TunnelChecksum::checksum;
         FrameBuffer buffer(in4().tcp(1, web, syn).payload(2000).bytes());
         buffer.segment_payload = 1000;  // one frame that is several packets
         NativePlatform platform(world.tables(), buffer, world.now, outer_link);
         const Verdict verdict = balance(platform);
         check(world, {.verdict = verdict, .interface = outer_link, .frame = {}});
       }},
      {Reason::lblcr_set_full,
       [](auto check) {
         World world;
         std::vector<u32> five;
         for (u32 i = 1; i <= 5; ++i) five.push_back(world.add_rs(i, Method::direct));
         world.director.add_service({vip, web, 6}, five, {.head = {.kind = SchedulerKind::lblcr}});
         PacketResult last{};
         for (u16 port = 1; world.counted(Reason::lblcr_set_full) == 0 && port < 100; ++port)
           last = world.send(in4().tcp(port, web, syn));
         check(world, last);
       }},
  };
  return all;
}

bool is_passed(Reason reason) { return std::string(names[static_cast<u32>(reason)]).starts_with("pass_"); }
bool is_answered(Reason reason) {
  return reason == Reason::no_destination || reason == Reason::no_reply_connection || reason == Reason::ttl_exceeded ||
         reason == Reason::too_big;
}

TEST(Reasons, every_one_is_reached_and_means_what_it_says) {
  for (u32 i = 0; i < reasons; ++i) {
    const Reason reason = static_cast<Reason>(i);
    SCOPED_TRACE(names[i]);
    const auto found = cases().find(reason);
    ASSERT_TRUE(found != cases().end()) << "no packet reaches this reason: add a case";
    bool checked = false;
    found->second([&](World& world, const PacketResult& result) {
      checked = true;
      world.expect_counted(reason);
      const Verdict expected = is_passed(reason)     ? Verdict::pass
                               : is_answered(reason) ? Verdict::transmit
                               : is_remark(reason)   ? Verdict::redirect
                                                     : Verdict::drop;
      EXPECT_EQ(result.verdict, expected);
      expect_tags_to_match(world.tables());
      expect_loads_to_match(world.tables());
    });
    EXPECT_TRUE(checked);
  }
}

}  // namespace
}  // namespace penstock
