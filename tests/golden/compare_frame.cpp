#include "tests/golden/compare_frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace penstock::golden {

namespace {

constexpr std::string_view any = "*";
constexpr std::array director_addresses = {"10.1.0.1",  "10.2.0.1",  "10.1.0.100",  "10.1.0.101",
                                           "fd00:1::1", "fd00:2::1", "fd00:1::100", "fd00:1::101"};

bool has_path(const Fields& fields, const char* pointer) { return fields.contains(Fields::json_pointer(pointer)); }

bool wraps_a_packet(const Fields& ip) { return ip.contains("inner") || ip.contains("gre") || has_path(ip, "/udp/gue"); }

bool is_from_director(const Fields& ip) {
  const std::string source = ip.value("src", "");
  return std::find(director_addresses.begin(), director_addresses.end(), source) != director_addresses.end();
}

// Wherever a packet is carried inside this one.
constexpr std::array carried = {"/inner", "/gre/inner", "/udp/gue/inner"};

Fields comparable_ip(Fields ip, Origin origin) {
  const bool chosen = origin == Origin::created || wraps_a_packet(ip);
  const bool piece_of_tunnel = ip.contains("frag_data") && is_from_director(ip);
  if (chosen || piece_of_tunnel) {
    if (ip.contains("id")) ip["id"] = any;
    if (ip.contains("flow")) ip["flow"] = any;
  }
  if (ip.contains("fid")) ip["fid"] = any;
  if (has_path(ip, "/udp/gue")) ip["udp"]["sport"] = any;
  if (has_path(ip, "/udp/sync")) {
    ip["udp"]["sport"] = any;
    ip["id"] = any;
    for (Fields& connection : ip["udp"]["sync"]["conns"]) {
      connection["timeout"] = any;
      if (connection.contains("opts")) connection["opts"] = any;
    }
  }
  for (const char* pointer : carried) {
    if (!has_path(ip, pointer)) continue;
    Fields& inner = ip[Fields::json_pointer(pointer)];
    inner = comparable_ip(inner, Origin::forwarded);
  }
  return ip;
}

bool has_free_field(const Fields& fields) {
  if (!fields.is_object()) return fields == any;
  return std::any_of(fields.begin(), fields.end(), has_free_field);
}

std::string text_of(const Fields& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

void compare_fields(const std::string& where, const Fields& want, const Fields& got, Differences& differences) {
  if (want.is_object() && got.is_object()) {
    for (const auto& [name, value] : want.items()) {
      const std::string place = where + "." + name;
      if (got.contains(name)) {
        compare_fields(place, value, got[name], differences);
      } else {
        differences.push_back({place, text_of(value), ""});
      }
    }
    for (const auto& [name, value] : got.items()) {
      if (!want.contains(name)) differences.push_back({where + "." + name, "", text_of(value)});
    }
    return;
  }
  if (want != got) differences.push_back({where, text_of(want), text_of(got)});
}

// The frame without the padding that Ethernet may add after an IP packet.
View without_padding(View frame) {
  if (frame.size() < ethernet_header + 20) return frame;
  const std::uint16_t type = read16(frame, 12);
  std::size_t end = frame.size();
  if (type == ethertype_ipv4) end = ethernet_header + read16(frame, ethernet_header + 2);
  if (type == ethertype_ipv6) end = ethernet_header + 40 + read16(frame, ethernet_header + 4);
  return frame.first(std::min(end, frame.size()));
}

}  // namespace

bool is_created(const Fields& in, const Fields& out) {
  if (!in.contains("ip") || !out.contains("ip")) return false;
  const Fields& before = in["ip"];
  const Fields& after = out["ip"];
  if (wraps_a_packet(after)) return false;
  if (before.value("v", 0) == 4 && after.value("v", 0) == 4) return before.value("id", -1) != after.value("id", -1);
  const bool answers =
      before.value("src", "") == after.value("dst", "?") && before.value("dst", "") == after.value("src", "?");
  return answers || before.value("proto", Fields()) != after.value("proto", Fields());
}

Fields comparable(const Fields& frame, Origin origin) {
  Fields result = frame;
  if (result.contains("ip")) result["ip"] = comparable_ip(result["ip"], origin);
  return result;
}

Differences compare_frames(std::string_view where, View in, View want, View got) {
  const Fields recorded = decode_frame(want);
  const Origin origin = is_created(decode_frame(in), recorded) ? Origin::created : Origin::forwarded;
  const Fields wanted = comparable(recorded, origin);
  Differences differences;
  compare_fields(std::string(where), wanted, comparable(decode_frame(got), origin), differences);
  if (!differences.empty() || has_free_field(wanted)) return differences;
  const View want_bytes = without_padding(want);
  const View got_bytes = without_padding(got);
  if (!std::equal(want_bytes.begin(), want_bytes.end(), got_bytes.begin(), got_bytes.end())) {
    differences.push_back({std::string(where) + ".bytes", to_hex(want_bytes), to_hex(got_bytes)});
  }
  return differences;
}

Differences compare_sent(View in, const std::vector<Sent>& want, const std::vector<Sent>& got) {
  Differences differences;
  for (const Interface interface : interfaces) {
    const auto leaves_here = [interface](const Sent& sent) { return sent.interface == interface; };
    std::vector<Sent> wanted;
    std::vector<Sent> given;
    std::copy_if(want.begin(), want.end(), std::back_inserter(wanted), leaves_here);
    std::copy_if(got.begin(), got.end(), std::back_inserter(given), leaves_here);
    for (std::size_t i = 0; i < std::max(wanted.size(), given.size()); ++i) {
      const std::string where = fmt::format("{}[{}]", to_string(interface), i);
      if (i >= given.size()) {
        differences.push_back({where, describe(decode_frame(wanted[i].frame)), ""});
      } else if (i >= wanted.size()) {
        differences.push_back({where, "", describe(decode_frame(given[i].frame))});
      } else {
        for (auto& difference : compare_frames(where, in, wanted[i].frame, given[i].frame)) {
          differences.push_back(std::move(difference));
        }
      }
    }
  }
  return differences;
}

}  // namespace penstock::golden
