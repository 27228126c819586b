// What is worth asking the network, once the director or real server is known. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "doctor/facts.hpp"
#include "doctor/look/greet.hpp"
#include "doctor/look/who_has.hpp"

namespace penstock::doctor {

// Servers, directors and clients: how the kernel would reach them.
[[nodiscard]] std::vector<model::Address> addresses_to_route(const Facts& facts);

// Each is a broadcast.
inline constexpr std::size_t witnesses_max = 256;

// Virtual and local addresses on the links where hosts may ask for them, and as witnesses the next hops to servers or the director.
// Needs the ways.
struct Inquiry {
  std::vector<HolderQuestion> questions;
  std::vector<model::Address> witnesses;
};
[[nodiscard]] Inquiry holders_to_ask_for(const Facts& facts);

// Endpoints of real servers that should take TCP connections from the director, each once. Needs the ways.
[[nodiscard]] std::vector<GreetingPlan> servers_to_greet(const Facts& facts);

}  // namespace penstock::doctor
