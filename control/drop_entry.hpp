// IPVS's drop_entry (net/netfilter/ipvs/ip_vs_conn.c: ip_vs_random_dropentry): while it is at work a 32nd of the table is looked at
// each second, at random, and entries go whose clients lose least by it: half-open connections, templates that never led to an
// established one, and some of the connections that are idle.
//
// IPVS spares an idle connection that has had more than 8 packets, and of those with n takes every n-th. Our records count no
// packets, which would cost every packet a write. Spared is a connection that became a conversation (trait_answered): the real server
// answered or, where the director sees no answers, the client went on for more than an instant. Of the others goes every eighth
// established one, as if it had had 8 packets, and each of protocols that have no end of their own, as if it had had one.
#pragma once

#include <array>
#include <chrono>
#include <random>

#include "datapath/abi/connection.hpp"

namespace penstock::control {

// What is asked of a record.
struct Entry {
  Role role;
  u8 protocol;
  u32 state;
  u8 traits;
  std::chrono::milliseconds idle;
  bool has_children;   // a template, FTP's control connection: connections that it made live
  bool is_one_packet;  // a template: of a service with one-packet scheduling, whose connections leave no trace
};

inline constexpr std::chrono::seconds idle_min{60};  // IPVS: todrop_entry

// Of how many entries of this kind one goes; 0: none.
[[nodiscard]] u32 share_to_drop(const Entry& entry);

class EntryDropper {
 public:
  // Whether the next bucket of a walk is looked at, which takes `walk` for the whole table. By chance, but not by secret chance:
  // nobody gains by knowing.
  [[nodiscard]] bool draws(std::chrono::milliseconds walk);
  // Whether this entry of such a bucket goes.
  [[nodiscard]] bool takes(const Entry& entry);

 private:
  std::minstd_rand random_;
  std::array<u32, 9> seen_{};  // by the share that goes
};

}  // namespace penstock::control
