#include "doctor/look.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include "api/client.hpp"
#include "api/socket_path.hpp"
#include "doctor/facts_about.hpp"
#include "doctor/guess.hpp"
#include "doctor/look/checksum_watch.hpp"
#include "doctor/look/director.hpp"
#include "doctor/look/ethtool.hpp"
#include "doctor/look/firewall.hpp"
#include "doctor/look/greet.hpp"
#include "doctor/look/proc.hpp"
#include "doctor/look/rtnetlink.hpp"
#include "doctor/look/who_has.hpp"
#include "doctor/questions.hpp"

namespace penstock::doctor {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds answer_time_max{1000};

// Beyond every network that a host may be in: TEST-NET-3 (RFC 5737) and an address of no one in 2001:db8::/32 (RFC 3849).
constexpr const char* outside[] = {"203.0.113.1", "2001:db8:ffff:ffff::1"};

std::vector<model::Address> clients_outside() {
  std::vector<model::Address> clients;
  for (const char* text : outside) clients.push_back(model::parse_address(text).value());
  return clients;
}

// As `penstock realserver` names its program.
bool has_mss_clamp(const std::vector<std::string>& filters) {
  return std::ranges::any_of(filters, [](const std::string& name) { return name.starts_with("pen_clamp_mss"); });
}

// Whether a penstockd runs here or has: its socket and its state outlive it. Real servers use the directory, too.
bool has_run_in(const std::string& runtime) {
  std::error_code problem;
  return std::ranges::any_of(std::array{"/control.sock", "/state.json"},
                             [&](const char* file) { return std::filesystem::exists(runtime + file, problem); });
}

// One look at one host.
class Look {
 public:
  explicit Look(const Options& options) : options_(options) {}

  Result<Facts> all() {
    if (auto done = at_host(); !done) return fail(std::move(done.error()));
    if (auto done = at_role(); !done) return fail(std::move(done.error()));
    begin_counting();
    if (auto done = at_network(); !done) return fail(std::move(done.error()));
    if (auto done = end_counting(); !done) return fail(std::move(done.error()));
    // Last: the real servers' answers to us would be counted.
    if (auto done = at_servers(); !done) return fail(std::move(done.error()));
    return std::move(facts_);
  }

 private:
  Result<void> at_host();
  Result<void> at_role();
  Result<void> at_network();
  Result<void> at_servers();
  void begin_counting();
  Result<void> end_counting();
  [[nodiscard]] std::string_view mode_of(const Interface& interface) const;

  const Options& options_;
  Facts facts_;
  std::optional<Rtnetlink> rtnetlink_;
  std::unique_ptr<api::Director> director_;
  Clock::time_point begin_;
};

Result<void> Look::at_host() {
  auto rtnetlink = Rtnetlink::open();
  if (!rtnetlink) return fail(std::move(rtnetlink.error()));
  rtnetlink_ = std::move(*rtnetlink);
  auto interfaces = rtnetlink_->interfaces();
  if (!interfaces) return fail(std::move(interfaces.error()));
  facts_.interfaces = std::move(*interfaces);
  for (Interface& interface : facts_.interfaces) {
    // A kernel without TC lists nothing.
    interface.filters =
        rtnetlink_->filters(interface.index, Rtnetlink::Direction::in).value_or(std::vector<std::string>{});
    const auto leaving = rtnetlink_->filters(interface.index, Rtnetlink::Direction::out);
    facts_.clamps_mss = facts_.clamps_mss || (leaving && has_mss_clamp(*leaving));
    interface.has_lro = has_lro(interface.name);
    interface.arp_ignore = read_interface_sysctl(interface.name, "arp_ignore");
    interface.arp_announce = read_interface_sysctl(interface.name, "arp_announce");
    interface.rp_filter = read_interface_sysctl(interface.name, "rp_filter");
  }
  auto addresses = rtnetlink_->addresses();
  if (!addresses) return fail(std::move(addresses.error()));
  facts_.addresses = std::move(*addresses);
  facts_.forwards_ipv4 = read_sysctl("net/ipv4/ip_forward").value_or(0) != 0;
  facts_.forwards_ipv6 = read_sysctl("net/ipv6/conf/all/forwarding").value_or(0) != 0;
  Firewall firewall = read_firewall();
  facts_.firewall = std::move(firewall.rules);
  facts_.clamps_mss = facts_.clamps_mss || firewall.clamps_mss;
  facts_.clients = options_.clients.empty() ? clients_outside() : options_.clients;
  facts_.clients_are_named = !options_.clients.empty();
  return {};
}

Result<void> Look::at_role() {
  const auto runtime = api::runtime_directory();
  if (!runtime) return fail(runtime.error());
  const bool may_be_director = options_.role != Role::real_server;
  auto connected = may_be_director ? api::connect() : fail(ErrorCode::unavailable, "not asked");
  if (connected) {
    director_ = std::move(*connected);
    auto director = ask_director(*director_);
    if (!director) return with_context("asking penstockd", std::move(director.error()));
    facts_.director = std::move(*director);
    look_for_pins(*runtime, *facts_.director);
  } else if (connected.error().code != ErrorCode::unavailable) {
    return fail(std::move(connected.error()));
  } else if (options_.role == Role::director || (may_be_director && has_run_in(*runtime))) {
    facts_.director = Director{.is_running = false};
  } else {
    auto server = guess_real_server(options_, facts_);
    if (!server) return fail(std::move(server.error()));
    facts_.real_server = std::move(*server);
  }
  return {};
}

void Look::begin_counting() {
  begin_ = Clock::now();
  for (Interface& interface : facts_.interfaces) {
    const XdpCounters counters = xdp_counters(interface.name);
    interface.xdp_sent.before = counters.sent;
    interface.xdp_lost.before = counters.lost;
  }
  facts_.unforwarded_ipv4.before = read_unforwarded(model::Family::ipv4);
  facts_.unforwarded_ipv6.before = read_unforwarded(model::Family::ipv6);
}

Result<void> Look::end_counting() {
  std::this_thread::sleep_until(begin_ + options_.time);
  for (Interface& interface : facts_.interfaces) {
    const XdpCounters counters = xdp_counters(interface.name);
    interface.xdp_sent.after = counters.sent;
    interface.xdp_lost.after = counters.lost;
  }
  facts_.unforwarded_ipv4.after = read_unforwarded(model::Family::ipv4);
  facts_.unforwarded_ipv6.after = read_unforwarded(model::Family::ipv6);
  return director_ ? count_again(*director_, *facts_.director) : Result<void>{};
}

Result<void> Look::at_network() {
  for (const model::Address& address : addresses_to_route(facts_)) {
    auto way = rtnetlink_->way_to(address);
    if (!way) return fail(std::move(way.error()));
    facts_.ways.push_back(std::move(*way));
  }
  const Inquiry inquiry = holders_to_ask_for(facts_);
  auto holders = who_has(inquiry.questions, inquiry.witnesses, answer_time_max);
  if (!holders) return fail(std::move(holders.error()));
  facts_.holders = std::move(*holders);
  return {};
}

Result<void> Look::at_servers() {
  std::map<std::uint32_t, ChecksumWatch> watches;
  for (const Interface& interface : facts_.interfaces) {
    const std::string_view mode = mode_of(interface);
    if (mode != "native" && mode != "generic") continue;
    auto watch = ChecksumWatch::open(interface.index);
    if (!watch) return fail(std::move(watch.error()));
    watches.emplace(interface.index, std::move(*watch));
  }
  facts_.attempts = greet(servers_to_greet(facts_), answer_time_max);
  for (Interface& interface : facts_.interfaces) {
    const auto watch = watches.find(interface.index);
    if (watch != watches.end()) interface.owes_checksums = watch->second.saw_owed_checksum();
  }
  auto neighbours = rtnetlink_->neighbours();
  if (!neighbours) return fail(std::move(neighbours.error()));
  facts_.neighbours = std::move(*neighbours);
  return {};
}

// How the packet path is attached there; empty: it isn't.
std::string_view Look::mode_of(const Interface& interface) const {
  if (!facts_.director) return "";
  const auto found = std::ranges::find(facts_.director->attached, interface.name, &api::InterfaceView::name);
  return found == facts_.director->attached.end() ? std::string_view() : found->mode;
}

}  // namespace

Result<Facts> look(const Options& options) {
  if (geteuid() != 0) return fail(ErrorCode::permission_denied, "only root can look at all of it", EPERM);
  return Look(options).all();
}

}  // namespace penstock::doctor
