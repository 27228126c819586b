// Decoded frames in one line, for a person who looks for what differs.
#include <fmt/format.h>

#include "tests/golden/frame.hpp"

namespace penstock::golden {

namespace {

std::string text_of(const Fields& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string describe_ip(const Fields& ip);

std::string describe_transport(const std::string& name, const Fields& fields) {
  std::string text = name;
  if (fields.contains("sport")) text += fmt::format(" {}>{}", text_of(fields["sport"]), text_of(fields["dport"]));
  if (fields.contains("flags") && name == "tcp") {
    text +=
        fmt::format(" [{}] seq {} ack {}", text_of(fields["flags"]), text_of(fields["seq"]), text_of(fields["ack"]));
  }
  if (fields.contains("type") && name != "gre") {
    text += fmt::format(" type {} code {} rest {}", text_of(fields["type"]), text_of(fields["code"]),
                        text_of(fields["rest"]));
  }
  if (fields.contains("chunks")) text += " " + fields["chunks"].dump();
  const Fields sum = fields.value("csum_ok", fields.value("csum", Fields(nullptr)));
  if (sum == false) text += " BAD-CHECKSUM";
  if (fields.contains("data")) text += " data " + text_of(fields["data"]);
  if (fields.contains("gue"))
    text += " gue " + (fields["gue"].contains("inner") ? "{" + describe_ip(fields["gue"]["inner"]) + "}" : "");
  if (fields.contains("inner")) text += " {" + describe_ip(fields["inner"]) + "}";
  return text;
}

std::string describe_ip(const Fields& ip) {
  if (!ip.contains("src")) return ip.dump();
  std::string text = fmt::format("{} > {} {} ttl {} tos {}", text_of(ip["src"]), text_of(ip["dst"]),
                                 text_of(ip["proto"]), text_of(ip["ttl"]), text_of(ip["tos"]));
  if (ip.contains("id")) text += " id " + text_of(ip["id"]);
  text += " len " + text_of(ip["len"]);
  if (ip.value("df", 0) == 1) text += " DF";
  if (!ip.value("hcsum_ok", true)) text += " BAD-HEADER-CHECKSUM";
  if (ip.contains("off")) text += fmt::format(" off {}{}", text_of(ip["off"]), ip.value("mf", 0) == 1 ? "+" : "");
  for (const char* name : {"tcp", "udp", "sctp", "icmp", "icmp6", "gre"}) {
    if (ip.contains(name)) text += " " + describe_transport(name, ip[name]);
  }
  if (ip.contains("inner")) text += " {" + describe_ip(ip["inner"]) + "}";
  for (const char* name : {"frag_data", "l4"}) {
    if (ip.contains(name)) text += " " + text_of(ip[name]);
  }
  return text;
}

}  // namespace

std::string describe(const Fields& frame) {
  std::string text =
      text_of(frame.value("eth_src", Fields("?"))) + " > " + text_of(frame.value("eth_dst", Fields("?")));
  if (frame.contains("ip")) return text + " " + describe_ip(frame["ip"]);
  return text + " " + frame.dump();
}

}  // namespace penstock::golden
