#include "doctor/look/who_has.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <variant>

#include "doctor/look/solicitation_probe.hpp"

namespace penstock::doctor {
namespace {

using Clock = std::chrono::steady_clock;
using Probe = std::variant<ArpProbe, SolicitationProbe>;
using ProbeKey = std::pair<std::uint32_t, model::Family>;

Result<Mac> own_mac(std::uint32_t interface) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  if (if_indextoname(interface, request.ifr_name) == nullptr || ioctl(socket.fd(), SIOCGIFHWADDR, &request) != 0)
    return fail_errno(fmt::format("finding the MAC address of interface {}", interface), errno);
  Mac mac{};
  std::copy_n(reinterpret_cast<const std::uint8_t*>(request.ifr_hwaddr.sa_data), mac.size(), mac.begin());
  return mac;
}

Result<Probe> open_probe(const ProbeKey& key) {
  const auto mac = own_mac(key.first);
  if (!mac) return fail(mac.error());
  const auto as_probe = [](auto&& probe) { return Probe(std::forward<decltype(probe)>(probe)); };
  if (key.second == model::Family::ipv4) return ArpProbe::open(key.first, *mac).map(as_probe);
  return SolicitationProbe::open(key.first, *mac).map(as_probe);
}

Result<void> ask(const Probe& probe, const HolderQuestion& question) {
  if (const auto* arp = std::get_if<ArpProbe>(&probe)) return arp->ask(question.address, question.source);
  return std::get<SolicitationProbe>(probe).ask(question.address);
}

// One round of questions and what is heard of it.
class Round {
 public:
  Round(const std::vector<HolderQuestion>& questions, const std::vector<model::Address>& witnesses) {
    for (const HolderQuestion& question : questions) {
      answers_.push_back({.interface = question.interface, .address = question.address});
      const ProbeKey key{question.interface, question.address.family};
      unwitnessed_.insert(key);
      if (std::ranges::find(witnesses, question.address) != witnesses.end())
        awaited_.insert({question.interface, question.address});
    }
    for (const auto& [interface, address] : awaited_) unwitnessed_.erase({interface, address.family});
  }

  Result<void> ask_all(const std::vector<HolderQuestion>& questions) {
    for (const HolderQuestion& question : questions) {
      const ProbeKey key{question.interface, question.address.family};
      auto found = probes_.find(key);
      if (found == probes_.end()) {
        auto probe = open_probe(key);
        if (!probe) return fail(std::move(probe.error()));
        found = probes_.emplace(key, std::move(*probe)).first;
      }
      if (auto asked = ask(found->second, question); !asked) return asked;
    }
    return {};
  }

  [[nodiscard]] bool is_complete() const { return unwitnessed_.empty() && awaited_.empty(); }

  void listen(Clock::time_point deadline) {
    std::vector<pollfd> readable;
    for (const auto& [key, probe] : probes_)
      readable.push_back(
          {.fd = std::visit([](const auto& one) { return one.fd(); }, probe), .events = POLLIN, .revents = 0});
    while (!is_complete()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
      if (left.count() <= 0) return;
      if (poll(readable.data(), readable.size(), static_cast<int>(left.count())) > 0) take_all();
    }
    take_all();
  }

  std::vector<Holders> answers() && { return std::move(answers_); }

 private:
  void take_all() {
    for (const auto& [key, probe] : probes_) {
      while (const auto answer = std::visit([](const auto& one) { return one.take(); }, probe))
        take(key.first, *answer);
    }
  }

  void take(std::uint32_t interface, const NeighbourAnswer& answer) {
    awaited_.erase({interface, answer.address});
    for (Holders& holders : answers_) {
      const bool is_meant = holders.interface == interface && holders.address == answer.address;
      const bool is_new = std::ranges::find(holders.macs, answer.mac) == holders.macs.end();
      if (is_meant && is_new) holders.macs.push_back(answer.mac);
    }
  }

  std::map<ProbeKey, Probe> probes_;
  std::vector<Holders> answers_;
  std::set<std::pair<std::uint32_t, model::Address>> awaited_;
  std::set<ProbeKey> unwitnessed_;  // silence there means something only when the time is over
};

}  // namespace

Result<std::vector<Holders>> who_has(const std::vector<HolderQuestion>& questions,
                                     const std::vector<model::Address>& witnesses, std::chrono::milliseconds time_max) {
  if (questions.empty()) return std::vector<Holders>{};
  Round round(questions, witnesses);
  if (auto asked = round.ask_all(questions); !asked) return fail(std::move(asked.error()));
  const auto begin = Clock::now();
  round.listen(begin + time_max / 2);
  // A frame may be lost.
  if (!round.is_complete()) {
    if (auto asked = round.ask_all(questions); !asked) return fail(std::move(asked.error()));
    round.listen(begin + time_max);
  }
  return std::move(round).answers();
}

}  // namespace penstock::doctor
