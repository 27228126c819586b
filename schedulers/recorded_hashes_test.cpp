// dh, sh and mh against the recordings of IPVS: which server each flow came to. Tables and hashes are Penstock's; the few lines
// between them (which port, what a fallback tries) are told again here as ipvs-spec.md §6 tells them.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "schedulers/address_image_for_tests.hpp"
#include "schedulers/schedule.hpp"
#include "schedulers/siphash.hpp"
#include "schedulers/source_hash.hpp"

namespace penstock::schedulers {
namespace {

using Numbers = std::vector<int>;
using Ports = std::vector<std::uint16_t>;

enum class Fallback : std::uint8_t { no, yes };
enum class HashesPort : std::uint8_t { no, yes };

// A run of new connections: from (dh: to) each address in turn, from each port in turn. A character each: the number N of the
// recording's rsN, '-' where the client got an ICMP error.
struct Run {
  Ports ports;
  const char* served;
};

struct Recording {
  const char* name;
  Kind kind;
  Fallback fallback;
  HashesPort hashes_port;
  const char* servers;              // rsN is this with N behind it
  Numbers weights;                  // of rs1, rs2, …, added in this order to port 80
  std::vector<std::string> hashed;  // the addresses
  Run before;
  int quiesced;  // rsN set to weight 0 then; 0: none
  int removed;   // rsN deleted then; 0: none
  Run after;
};

std::vector<std::string> numbered(const std::string& prefix, int first, int count) {
  std::vector<std::string> addresses;
  for (int i = 0; i < count; ++i) addresses.push_back(prefix + std::to_string(first + i));
  return addresses;
}

const std::vector<std::string> clients = numbered("198.51.0.", 100, 24);
const std::vector<std::string> clients_of_ports = numbered("198.51.0.", 100, 8);
const std::vector<std::string> destinations = numbered("203.0.113.", 1, 16);
const std::vector<std::string> clients_of_ipv6 = {
    "2001:db8:e::64", "2001:db8:e::65", "2001:db8:e::66", "2001:db8:e::67", "2001:db8:e::68", "2001:db8:f::69",
    "2001:db8:f::6a", "2001:db8:f::6b", "2001:db8:f::6c", "2001:db8:f::6d", "2001:db8:f::6e", "2001:db8:f::6f"};

const Recording recordings[] = {
    {.name = "sched-sh-p",
     .kind = Kind::sh,
     .fallback = Fallback::no,
     .hashes_port = HashesPort::no,
     .servers = "10.2.0.1",
     .weights = {1, 1, 1},
     .hashed = clients,
     .before = {{1000, 2000}, "221122223311332233223322112211223333113311332233"},
     .quiesced = 2,
     .removed = 0,
     .after = {{6000, 7000}, "--11----331133--33--33--11--11--333311331133--33"}},
    {.name = "sched-sh-port-p",
     .kind = Kind::sh,
     .fallback = Fallback::no,
     .hashes_port = HashesPort::yes,
     .servers = "10.2.0.1",
     .weights = {1, 1, 1},
     .hashed = clients_of_ports,
     .before = {{1000, 1001, 2002}, "212123232331313131312121"},
     .quiesced = 0,
     .removed = 1,
     .after = {{6000, 6001, 7002}, "332323223223223233332332"}},
    {.name = "sched-sh-fallback-p",
     .kind = Kind::sh,
     .fallback = Fallback::yes,
     .hashes_port = HashesPort::no,
     .servers = "10.2.0.1",
     .weights = {1, 1, 1},
     .hashed = clients,
     .before = {{1000}, "212231323232121233131323"},
     .quiesced = 2,
     .removed = 0,
     .after = {{6000}, "111131313131111133131313"}},
    {.name = "sched-sh-v6-p",
     .kind = Kind::sh,
     .fallback = Fallback::no,
     .hashes_port = HashesPort::no,
     .servers = "fd00:2::1",
     .weights = {1, 1, 1},
     .hashed = clients_of_ipv6,
     .before = {{1000}, "132111213131"},
     .quiesced = 0,
     .removed = 0,
     .after = {}},
    {.name = "sched-mh-p",
     .kind = Kind::mh,
     .fallback = Fallback::no,
     .hashes_port = HashesPort::no,
     .servers = "10.2.0.1",
     .weights = {1, 1, 1},
     .hashed = clients,
     .before = {{1000}, "313311111232321233213122"},
     .quiesced = 2,
     .removed = 0,
     .after = {{6000}, "313311111-3-3-1-33-131--"}},
    {.name = "sched-mh-port-p",
     .kind = Kind::mh,
     .fallback = Fallback::no,
     .hashes_port = HashesPort::yes,
     .servers = "10.2.0.1",
     .weights = {1, 1, 1},
     .hashed = clients_of_ports,
     .before = {{1000, 1001, 2002}, "323222223221232333321231"},
     .quiesced = 0,
     .removed = 1,
     .after = {{6000, 6001, 7002}, "233332323232322223223233"}},
    {.name = "sched-mh-fallback-p",
     .kind = Kind::mh,
     .fallback = Fallback::yes,
     .hashes_port = HashesPort::no,
     .servers = "10.2.0.1",
     .weights = {1, 1, 1},
     .hashed = clients,
     .before = {{1000}, "313311111232321233213122"},
     .quiesced = 2,
     .removed = 0,
     .after = {{6000}, "313311111333311333313133"}},
    {.name = "sched-mh-v6-p",
     .kind = Kind::mh,
     .fallback = Fallback::no,
     .hashes_port = HashesPort::no,
     .servers = "fd00:2::1",
     .weights = {1, 1, 1},
     .hashed = clients_of_ipv6,
     .before = {{1000}, "321222311132"},
     .quiesced = 0,
     .removed = 0,
     .after = {}},
    {.name = "sched-mh-bigweights-p",
     .kind = Kind::mh,
     .fallback = Fallback::no,
     .hashes_port = HashesPort::no,
     .servers = "10.2.0.1",
     .weights = {100, 200},
     .hashed = clients,
     .before = {{1000}, "212221121212222222222122"},
     .quiesced = 0,
     .removed = 0,
     .after = {}},
    {.name = "sched-dh-p",
     .kind = Kind::dh,
     .fallback = Fallback::no,
     .hashes_port = HashesPort::no,
     .servers = "10.2.0.1",
     .weights = {1, 1, 1},
     .hashed = destinations,
     .before = {{1000, 1001}, "11331133111122332233331122112211"},
     .quiesced = 2,
     .removed = 0,
     .after = {{7000, 7001}, "113311331111--33--333311--11--11"}},
};

// A service as the recording makes it, server for server.
class Director {
 public:
  explicit Director(const Recording& recording) : recording_(recording), schedule_(begin(recording.kind, {})) {
    for (int number = 1; number <= static_cast<int>(recording.weights.size()); ++number) add(number);
  }

  void add(int number) {
    const std::int32_t weight = recording_.weights[static_cast<std::size_t>(number - 1)];
    const auto address = model::parse_address(recording_.servers + std::to_string(number)).value();
    servers_.insert(servers_.begin(), {.weight = weight, .last_weight = weight, .endpoint = {address, 80}});
    numbers_.insert(numbers_.begin(), number);
    after(Change{Change::What::added, 0});
  }
  void quiesce(int number) {
    servers_[position(number)].weight = 0;
    after(Change{Change::What::edited, position(number)});
  }
  void remove(int number) {
    const std::uint32_t gone = position(number);
    servers_.erase(servers_.begin() + gone);
    numbers_.erase(numbers_.begin() + gone);
    after(Change{Change::What::removed, gone});
  }

  [[nodiscard]] std::string serve(const Run& run) const {
    std::string served;
    for (const std::string& address : recording_.hashed)
      for (const std::uint16_t port : run.ports) served += server_of(address, port);
    return served;
  }

 private:
  std::uint32_t position(int number) const {
    return static_cast<std::uint32_t>(std::ranges::find(numbers_, number) - numbers_.begin());
  }
  void after(Change what) { schedule_ = change(schedule_, 0, what, servers_); }

  std::uint32_t slot_of(const FamilyImage& address, be16 port, std::uint32_t offset) const {
    if (recording_.kind == Kind::dh) return dh_bucket(address.image, address.family);
    if (recording_.kind == Kind::sh) return sh_bucket(address.image, address.family, port, offset);
    return mh_entry(address.image, address.family, port, offset, static_cast<std::uint32_t>(schedule_.picks.size()));
  }
  char server_in(std::uint32_t slot) const {
    const std::uint32_t picked = schedule_.picks.at(slot);
    return servers_.at(picked).weight > 0 ? static_cast<char>('0' + numbers_.at(picked)) : '-';
  }
  char server_of(const std::string& text, std::uint16_t client_port) const {
    const FamilyImage address = image_of(text);
    const be16 port = recording_.hashes_port == HashesPort::yes ? big(client_port) : be16{};
    const std::uint32_t first = slot_of(address, port, 0);
    char server = server_in(first);
    if (recording_.fallback == Fallback::no) return server;
    const auto size = static_cast<std::uint32_t>(schedule_.picks.size());
    for (std::uint32_t k = 0; k < size && server == '-'; ++k)
      server = server_in(slot_of(address, port, (first + k) % size));
    return server;
  }

  const Recording& recording_;
  std::vector<Server> servers_;  // newest first
  Numbers numbers_;              // theirs
  Schedule schedule_;
};

TEST(recorded_hashes, come_to_the_same_servers) {
  for (const Recording& recording : recordings) {
    SCOPED_TRACE(recording.name);
    Director director(recording);
    EXPECT_EQ(director.serve(recording.before), recording.before.served);
    if (recording.quiesced != 0) director.quiesce(recording.quiesced);
    if (recording.removed != 0) director.remove(recording.removed);
    if (recording.after.served == nullptr) continue;
    EXPECT_EQ(director.serve(recording.after), recording.after.served);
  }
}

}  // namespace
}  // namespace penstock::schedulers
