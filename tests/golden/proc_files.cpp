#include "tests/golden/proc_files.hpp"

#include <fmt/format.h>

namespace penstock::golden {

namespace {

constexpr std::uint32_t jiffies_per_second = 100;  // of the kernel that was recorded

// Statistics and rates have the same five columns.
template <typename Columns>
std::string line(const Columns& of) {
  return fmt::format("{:>8X} {:>8X} {:>8X} {:>16X} {:>16X}\n", of.connections, of.in_packets, of.out_packets,
                     of.in_bytes, of.out_bytes);
}

// "0A010064:0050", "[fd00:0001:…:0100]:0050"
std::string endpoint_text(const model::Endpoint& endpoint) {
  const auto& bytes = endpoint.address.bytes;
  std::string address;
  if (endpoint.address.family == model::Family::ipv4) {
    address = fmt::format("{:02X}{:02X}{:02X}{:02X}", bytes[0], bytes[1], bytes[2], bytes[3]);
  } else {
    for (std::size_t at = 0; at < bytes.size(); at += 2) {
      address += fmt::format("{}{:02x}{:02x}", at == 0 ? "[" : ":", bytes[at], bytes[at + 1]);
    }
    address += "]";
  }
  return fmt::format("{}:{:04X}", address, endpoint.port);
}

std::string protocol_text(model::Protocol protocol) {
  switch (protocol) {
    case model::Protocol::tcp:
      return "TCP";
    case model::Protocol::udp:
      return "UDP";
    case model::Protocol::sctp:
      return "SCTP";
  }
  return "IP";
}

std::string method_text(model::Method method) {
  switch (method) {
    case model::Method::nat:
      return "Masq";
    case model::Method::local:
      return "Local";
    case model::Method::tunnel:
      return "Tunnel";
    case model::Method::direct:
      return "Route";
    case model::Method::fullnat:
      return "FullNAT";
  }
  return "?";
}

// ip_vs_info_seq_show, with its blanks.
std::string service_line(const model::Service& service) {
  const std::string one_packet = (service.flags & model::service_flag::one_packet) != 0 ? "ops " : "";
  std::string text;
  if (service.key.fwmark != 0) {
    text = fmt::format("FWM  {:08X} {} {}", service.key.fwmark, service.scheduler, one_packet);
  } else if (service.key.vip.address.family == model::Family::ipv4) {
    text = fmt::format("{}  {} {} {} ", protocol_text(service.key.protocol), endpoint_text(service.key.vip),
                       service.scheduler, one_packet);
  } else {
    text = fmt::format("{}  {} {} ", protocol_text(service.key.protocol), endpoint_text(service.key.vip),
                       service.scheduler);
  }
  if ((service.flags & model::service_flag::persistent) != 0)
    text += fmt::format("persistent {} {:08X}", service.persistence_timeout_s * jiffies_per_second, service.netmask);
  return text + "\n";
}

}  // namespace

std::string print_proc_services(const std::vector<api::ServiceView>& services, const api::Info& info) {
  std::string text = fmt::format(
      "IP Virtual Server version 1.2.1 (size={})\n"
      "Prot LocalAddress:Port Scheduler Flags\n"
      "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n",
      info.connection_buckets);
  for (const auto& view : services) {
    text += service_line(view.service);
    for (const auto& server : view.servers) {
      text += fmt::format("  -> {}      {:<7} {:<6} {:<10} {:<10}\n", endpoint_text(server.server.endpoint),
                          method_text(server.server.method), server.server.weight, server.active, server.inactive);
    }
  }
  return text;
}

std::string print_proc_stats(const Totals& totals) {
  return "   Total Incoming Outgoing         Incoming         Outgoing\n"
         "   Conns  Packets  Packets            Bytes            Bytes\n" +
         line(totals.statistics) + "\n Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n" +
         line(totals.rates);
}

}  // namespace penstock::golden
