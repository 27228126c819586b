#include "control/attachments.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "control/images.hpp"
#include "control/permission.hpp"
#include "control/tc_filter.hpp"
#include "control/xdp_link.hpp"
#include "datapath/core/atomic.hpp"

namespace penstock::control {
namespace {

namespace fs = std::filesystem;

bool is_usual(const Link& link) { return link.is_ethernet && !link.is_loopback && link.is_up && !link.is_enslaved; }

std::optional<u32> index_in(const std::string& file_name) {
  u32 index = 0;
  const char* end = file_name.data() + file_name.size();
  const auto [stop, problem] = std::from_chars(file_name.data(), end, index);
  if (problem != std::errc{} || stop != end) return std::nullopt;
  return index;
}

// Their packets come from a kernel on the same machine, with checksums that are still to be computed and uncut: XDP would lose the
// one and refuse or copy the other.
bool is_fed_by_a_kernel(const Link& link) { return link.kind == "veth" || link.kind == "tun" || link.kind == "bridge"; }

std::string words_for(Hook hook) {
  switch (hook) {
    case Hook::native:
      return "native XDP";
    case Hook::generic:
      return "generic XDP";
    case Hook::tc:
      return "TC";
  }
  return "";
}

}  // namespace

std::string_view name_of(Hook hook) {
  switch (hook) {
    case Hook::native:
      return "native";
    case Hook::generic:
      return "generic";
    case Hook::tc:
      return "tc";
  }
  return "";
}

Ways ways_onto(const Link& link, ModeChoice mode) {
  switch (mode) {
    case ModeChoice::automatic:
      if (!is_fed_by_a_kernel(link)) return {{Hook::native, Hook::tc, Hook::generic}, ""};
      return {{Hook::tc, Hook::generic},
              fmt::format("because packets of a {} may be uncut and without their checksums", link.kind)};
    case ModeChoice::native:
      return {{Hook::native}, ""};
    case ModeChoice::generic:
      return {{Hook::generic}, "as --mode asks"};
    case ModeChoice::tc:
      return {{Hook::tc}, "as --mode asks"};
  }
  return {};
}

bool is_chosen(const InterfaceChoice& choice, const Link& link) {
  if (choice.names.empty()) return is_usual(link);
  return std::ranges::find(choice.names, link.name) != choice.names.end();
}

Attachments::Attachments(Programs programs, InterfaceChoice choice, const Tables& tables, Log log)
    : programs_(std::move(programs)), choice_(std::move(choice)), tables_(tables), log_(std::move(log)) {}

Result<void> Attachments::start(const std::map<u32, Link>& links) {
  if (auto checked = check_names(links); !checked) return checked;
  if (auto adopted = adopt(links); !adopted) return adopted;
  for (const auto& [index, link] : links) {
    if (attached_.contains(index) || !is_chosen(choice_, link)) continue;
    auto done = attach(link);
    if (!done && choice_.names.empty())
      log_.warn(done.error().message);  // one odd interface shall not keep the others waiting
    else if (!done)
      return done;
  }
  if (attached_.empty())
    log_.warn("attached to no interface yet: none is Ethernet, up and able to run the packet path");
  return {};
}

void Attachments::take(const LinkEvent& event) {
  if (event.removed) return forget(event.link.index);
  const auto found = attached_.find(event.link.index);
  if (found != attached_.end()) {
    found->second.name = event.link.name;
    return describe(event.link, found->second.hook);
  }
  if (!is_chosen(choice_, event.link)) return;
  auto done = attach(event.link);
  if (done) return;
  std::string& said = refused_[event.link.index];
  if (said != done.error().message) log_.warn(done.error().message);
  said = done.error().message;
}

Result<void> Attachments::check_names(const std::map<u32, Link>& links) const {
  for (const std::string& name : choice_.names) {
    if (std::ranges::any_of(links, [&](const auto& entry) { return entry.second.name == name; })) continue;
    std::string there;
    for (const auto& [index, link] : links) there += (there.empty() ? "" : ", ") + link.name;
    return fail(ErrorCode::not_found,
                fmt::format("--interface {}: there is no such interface in this network namespace (there are: {})",
                            name, there),
                ENODEV);
  }
  return {};
}

Result<void> Attachments::adopt(const std::map<u32, Link>& links) {
  std::error_code problem;
  for (const fs::directory_entry& entry : fs::directory_iterator(programs_.links_directory, problem)) {
    const auto index = index_in(entry.path().filename().string());
    if (!index) continue;  // not ours
    if (auto adopted = adopt_link(*index, entry.path().string(), links); !adopted)
      return with_context("adopting " + entry.path().string(), adopted.error());
  }
  if (problem) return fail_privileged("reading " + programs_.links_directory, problem.value());
  for (const auto& [index, link] : links) {
    auto adopted = adopt_filter(link);
    if (adopted && !attached_.contains(index)) adopted = detach_tc(index, TcProgram::out, qdisc_pin_of(index));
    if (!adopted) return with_context("adopting a TC filter", adopted.error());
  }
  return {};
}

Result<void> Attachments::adopt_filter(const Link& link) {
  const auto ours = has_tc_filter(link.index, TcProgram::in);
  if (!ours) return fail(ours.error());
  if (!*ours) return {};
  if (!is_asked_for(link, Hook::tc) || attached_.contains(link.index)) {
    log_.info(fmt::format("{}: detaching, the options no longer ask for it", link.name));
    return detach_tc(link.index, TcProgram::in, qdisc_pin_of(link.index));
  }
  auto attachment = attach_by_tc(link);
  if (!attachment) return fail(attachment.error());
  attached_[link.index] = std::move(*attachment);
  describe(link, Hook::tc);
  log_.info(fmt::format("{}: program replaced, TC as before", link.name));
  return {};
}

// Whether what a former daemon attached may stay. `auto` leaves everything as it runs: changing it would lose packets.
bool Attachments::is_asked_for(const Link& link, Hook hook) const {
  const bool is_named = choice_.names.empty() || is_chosen(choice_, link);
  const bool is_any = choice_.mode == ModeChoice::automatic;
  return is_named && (is_any || std::ranges::count(ways_onto(link, choice_.mode).hooks, hook) != 0);
}

Result<void> Attachments::adopt_link(u32 index, const std::string& path, const std::map<u32, Link>& links) {
  auto link = open_pinned_link(path);
  if (!link) return fail(link.error());
  const auto interface = interface_of(*link);
  if (!interface) return fail(interface.error());
  const auto found = links.find(index);
  if (*interface != index || found == links.end()) {  // its interface is gone
    unlink(path.c_str());
    return {};
  }
  const auto hook = hook_on(index);
  if (!hook) return fail(hook.error());
  if (!is_asked_for(found->second, *hook)) {
    log_.info(fmt::format("{}: detaching, the options no longer ask for it", found->second.name));
    if (auto detached = detach(*link); !detached) return detached;
    unlink(path.c_str());
    return {};
  }
  if (auto replaced = replace_xdp(*link, programs_.xdp); !replaced) return replaced;
  attached_[index] = Attachment{std::move(*link), *hook, found->second.name};
  describe(found->second, *hook);
  log_.info(fmt::format("{}: program replaced, {} as before", found->second.name, words_for(*hook)));
  return {};
}

Result<void> Attachments::attach(const Link& link) {
  // The packet path would take the IP header of a tunnel device's packets for an Ethernet header.
  if (!link.is_ethernet && !link.is_loopback)
    return fail(ErrorCode::invalid_argument, fmt::format("attaching to {}: it is no Ethernet interface", link.name));
  describe(link, Hook::generic);  // the mode that promises less, until it is known
  auto attachment = try_ways(link);
  if (!attachment) return fail(attachment.error());
  describe(link, attachment->hook);
  attached_[link.index] = std::move(*attachment);
  if (watches_own_) watch_on(link.index, attached_[link.index]);
  return {};
}

Result<Attachments::Attachment> Attachments::try_ways(const Link& link) const {
  Ways ways = ways_onto(link, choice_.mode);
  for (std::size_t i = 0;; ++i) {
    const Hook hook = ways.hooks[i];
    auto attachment = try_way(link, hook);
    if (attachment) {
      log_.info(
          fmt::format("{}: attached, {}{}{}", link.name, words_for(hook), ways.why.empty() ? "" : ", ", ways.why));
      return attachment;
    }
    const ErrorCode code = attachment.error().code;
    if (i + 1 == ways.hooks.size() || code == ErrorCode::busy || code == ErrorCode::permission_denied)
      return attachment;
    ways.why = fmt::format("because {}", attachment.error().message);
  }
}

Result<Attachments::Attachment> Attachments::try_way(const Link& link, Hook hook) const {
  return hook == Hook::tc ? attach_by_tc(link) : attach_by_xdp(link, hook);
}

Result<Attachments::Attachment> Attachments::attach_by_xdp(const Link& link, Hook hook) const {
  auto attached = attach_xdp(programs_.xdp, link, hook);
  if (!attached) return fail(attached.error());
  const std::string path = path_of(link.index);
  unlink(path.c_str());  // of an interface that had the same index before
  if (auto pinned = pin_link(*attached, path); !pinned) return fail(pinned.error());
  if (hook == Hook::native && link.kind == "veth")
    log_.warn(fmt::format(
        "{}: native XDP on a veth loses all that it sends unless the other end runs an XDP program, too", link.name));
  return Attachment{std::move(*attached), hook, link.name};
}

Result<Attachments::Attachment> Attachments::attach_by_tc(const Link& link) const {
  const auto program = programs_.tc(TcProgram::in);
  if (!program) return fail(program.error());
  if (auto attached = attach_tc(*program, link, TcProgram::in, qdisc_pin_of(link.index)); !attached)
    return fail(attached.error());
  return Attachment{File(), Hook::tc, link.name};
}

std::vector<api::InterfaceView> Attachments::list() const {
  std::vector<api::InterfaceView> all;
  for (const auto& [index, attachment] : attached_)
    all.push_back({attachment.name, std::string(name_of(attachment.hook))});
  return all;
}

void Attachments::watch_own(bool wanted) {
  if (watches_own_ == wanted) return;
  watches_own_ = wanted;
  for (const auto& [index, attachment] : attached_) watch_on(index, attachment);
}

// Without it packets are forwarded as they should be, so that what goes wrong is only said.
void Attachments::watch_on(u32 index, const Attachment& attachment) const {
  const std::string pin = qdisc_pin_of(index);
  if (!watches_own_.value_or(false)) {
    if (auto detached = detach_tc(index, TcProgram::out, pin); !detached) log_.warn(detached.error().message);
    return;
  }
  const auto program = programs_.tc(TcProgram::out);
  const auto attached = program ? attach_tc(*program, {.index = index, .name = attachment.name}, TcProgram::out, pin)
                                : Result<void>(fail(program.error()));
  if (!attached)
    log_.warn(fmt::format("connections to this machine itself are not followed: {}", attached.error().message));
}

std::string Attachments::qdisc_pin_of(u32 index) const {
  return fmt::format("{}/{}", programs_.qdiscs_directory, index);
}

std::string Attachments::path_of(u32 index) const { return fmt::format("{}/{}", programs_.links_directory, index); }

// The row's first word, which says that there is one, goes last. Readers may meet half of a changed IPv6 address, which would be
// the source of one ICMP error.
void Attachments::describe(const Link& link, Hook hook) {
  if (link.index >= tables_.interfaces.size()) return;
  Interface content{.address = {}, .known = 1, .hook = hook, .mtu = link.mtu};
  std::ranges::copy(link.mac, content.address);
  if (link.ipv4) content.ipv4 = static_cast<u32>(image_of(*link.ipv4).low);
  if (link.ipv6) content.ipv6 = image_of(*link.ipv6);
  Interface& row = tables_.interfaces[link.index];
  store_release(&row.mtu, content.mtu);
  store_release(&row.ipv4, content.ipv4);
  store_release(&row.ipv6.low, content.ipv6.low);
  store_release(&row.ipv6.high, content.ipv6.high);
  u64 first_word = 0;
  std::memcpy(&first_word, &content, sizeof first_word);
  store_release(reinterpret_cast<u64*>(&row), first_word);
}

void Attachments::forget(u32 index) {
  if (index < tables_.interfaces.size()) store_release(reinterpret_cast<u64*>(&tables_.interfaces[index]), u64{0});
  refused_.erase(index);
  if (attached_.erase(index) == 0) return;
  unlink(path_of(index).c_str());
  unlink(qdisc_pin_of(index).c_str());
  log_.info(fmt::format("interface {} is gone", index));
}

}  // namespace penstock::control
