// Tables with connections in them, put there by the packet path's own code.
#pragma once

#include <algorithm>
#include <bit>

#include "control/connection_list.hpp"
#include "control/images.hpp"
#include "control/settings.hpp"
#include "control/writer_test_world.hpp"
#include "datapath/core/balance.hpp"
#include "datapath/native/native_platform.hpp"

namespace penstock::control {

class ConnectionsTest : public testing::Test {
 protected:
  // Servers 10.0.0.1-3 in the slots 1-3.
  ConnectionsTest() {
    *tables.settings = initial_settings(clock.ticks_per_second());
    TableWriter writer(tables);
    for (u32 slot = 1; slot < 4; ++slot) writer.execute({WriteServer{slot, row(slot), {.weight = 1}}});
  }

  static RealServer row(u32 slot, Method method = Method::direct) {
    RealServer made{};
    made.route = {.next_hop = 1, .generation = 1, .method = method, .available = 1};
    made.address = image_of(at("10.0.0." + std::to_string(slot), 0).address);
    made.port = big(u16{80});
    made.family = Family::ipv4;
    return made;
  }

  // From 198.51.100.7 to 192.0.2.1:80 by way of the server in slot 1.
  static Connection request(u16 client_port, model::Protocol protocol = model::Protocol::tcp) {
    Connection made{};
    made.key.client = image_of(at("198.51.100.7", 0).address);
    made.key.vip = image_of(at("192.0.2.1", 0).address);
    made.key.client_port = big(client_port);
    made.key.vip_port = big(u16{80});
    made.key.protocol = static_cast<u8>(protocol);
    made.key.family = Family::ipv4;
    made.server = 1;
    made.generation = 1;
    made.traits = static_cast<u8>(Method::direct);
    return made;
  }

  // The template of these.
  static Connection persistence() {
    Connection made = request(0);
    made.key.role = Role::persistence;
    made.traits = 0;
    return made;
  }

  Peer put(const Connection& content, u32 state, u32 seconds) {
    FrameBuffer nothing({});
    NativePlatform platform(tables, nothing, clock.ticks(), 0);
    Insertion& insertion = platform.work()->insertion;
    const bool is_reply = content.key.role == Role::reply;
    const FlowKey name =
        is_reply ? reply_key_of(platform, belonging_of(content), content.key, tables.servers[content.server])
                 : content.key;
    prepare_insertion(insertion, content.key, hash_of(tables.config.hash_key, name), content.server,
                      content.generation);
    insertion.content = content;
    platform.work()->wanted = name;
    insertion.state = state;
    insertion.timeout = seconds * clock.ticks_per_second();
    is_reply ? save_reply(platform, *platform.work()) : save(platform, *platform.work());
    EXPECT_TRUE(insertion.saved && insertion.is_ours);
    return peer_of(insertion);
  }
  Peer put(const Connection& content, TcpState state, u32 seconds) {
    return put(content, static_cast<u32>(state), seconds);
  }

  // A connection of nat, and its reply's record.
  void put_nat(u16 client_port, TcpState state, u32 seconds) {
    Connection content = request(client_port);
    content.traits = static_cast<u8>(Method::nat) | trait_own_port;
    content.local_port = tables.servers[content.server].port;
    put(content, state, seconds);
    content.key.role = Role::reply;
    put(content, state, seconds);
  }

  const Connection* find(const FlowKey& key) {
    for (const ConnectionBucket& bucket : tables.connections)
      for (const Connection& record : bucket.records)
        if (is_live(record.word) && same_key(record.key, key)) return &record;
    return nullptr;
  }

  u32 count(Role role) {
    u32 found = 0;
    for (const ConnectionBucket& bucket : tables.connections)
      found +=
          static_cast<u32>(std::count_if(std::begin(bucket.records), std::end(bucket.records), [&](const auto& each) {
            return is_live(each.word) && each.key.role == role;
          }));
    return found;
  }

  std::vector<api::ConnectionView> list() {
    std::vector<api::ConnectionView> views;
    list_connections(tables, clock.ticks(), [&](const api::ConnectionView& view) { views.push_back(view); });
    return views;
  }

  HandClock clock;
  NativeTables owner{small_config()};
  Tables& tables = owner.view();
};

}  // namespace penstock::control
