#include "tests/hops/handshake.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::hops {
namespace {

using golden::Fields;

enum Place : std::size_t { syn = 0, syn_ack = 1, ack = 2 };

const Fields& tcp_of(const Hop& hop) { return hop.layers.back().ip.at("tcp"); }

std::uint32_t number(const Fields& tcp, const char* name) { return tcp.at(name).get<std::uint32_t>(); }

bool is_same_segment(const Hop& one, const Hop& other) {
  return one.network == other.network && one.source_mac == other.source_mac &&
         one.destination_mac == other.destination_mac;
}

// All TCP segments, oldest first.
Result<std::vector<Hop>> segments_of(const std::vector<NetworkCapture>& captures) {
  std::vector<Hop> segments;
  for (const NetworkCapture& capture : captures) {
    for (const CapturedFrame& frame : capture.frames) {
      const Fields fields = golden::decode_frame(frame.bytes);
      std::vector<Layer> layers = layers_of(fields);
      if (layers.empty()) continue;
      if (has_wrong_checksum(fields))
        return fail(ErrorCode::invalid_argument,
                    fmt::format("wrong checksum on {}: {}", capture.network, golden::describe(fields)));
      segments.push_back({.network = capture.network,
                          .time_ns = frame.time_ns,
                          .source_mac = fields.at("eth_src"),
                          .destination_mac = fields.at("eth_dst"),
                          .layers = std::move(layers)});
    }
  }
  std::ranges::stable_sort(segments, {}, &Hop::time_ns);
  return segments;
}

std::vector<Hop> with_flags(const std::vector<Hop>& segments, const std::string& flags) {
  std::vector<Hop> found;
  std::ranges::copy_if(segments, std::back_inserter(found),
                       [&](const Hop& hop) { return tcp_of(hop).value("flags", "") == flags; });
  return found;
}

// What follows carries data, or acknowledges more than the server's SYN.
std::vector<Hop> ends_of_handshake(const std::vector<Hop>& segments, std::uint32_t server_begins_at) {
  std::vector<Hop> found = with_flags(segments, "A");
  std::erase_if(found, [&](const Hop& hop) {
    return tcp_of(hop).contains("data") || number(tcp_of(hop), "ack") != server_begins_at + 1;
  });
  return found;
}

Result<void> check_sent_once(const Packet& packet) {
  for (auto hop = packet.hops.begin(); hop != packet.hops.end(); ++hop) {
    const auto again = std::find_if(hop + 1, packet.hops.end(), [&](const Hop& o) { return is_same_segment(*hop, o); });
    if (again != packet.hops.end())
      return fail(ErrorCode::invalid_argument, packet.name + " was sent again on " + hop->network);
  }
  return {};
}

// The server's answer has come to where the request was sent, and the client's last word as far as its first.
bool is_whole(const Handshake& handshake) {
  const auto& [first, answer, last] = handshake;
  return !first.hops.empty() && !answer.hops.empty() && last.hops.size() == first.hops.size() &&
         answer.hops.back().destination_mac == first.hops.front().source_mac;
}

}  // namespace

Result<Handshake> find_handshake(const std::vector<NetworkCapture>& captures) {
  const auto segments = segments_of(captures);
  if (!segments) return fail(segments.error());
  Handshake handshake{{{"SYN", with_flags(*segments, "S")}, {"SYN+ACK", with_flags(*segments, "SA")}, {"ACK", {}}}};
  if (!handshake[syn_ack].hops.empty())
    handshake[ack].hops = ends_of_handshake(*segments, number(tcp_of(handshake[syn_ack].hops.back()), "seq"));
  for (const Packet& packet : handshake) {
    if (auto once = check_sent_once(packet); !once) return fail(once.error());
  }
  if (!is_whole(handshake)) return fail(ErrorCode::not_found, "no whole handshake yet");
  return handshake;
}

}  // namespace penstock::hops
