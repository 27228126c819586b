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

bool is_allowed(ModeChoice choice, Hook hook) {
  switch (choice) {
    case ModeChoice::automatic:
      return true;
    case ModeChoice::native:
      return hook == Hook::native;
    case ModeChoice::generic:
      return hook == Hook::generic;
  }
  return false;
}

}  // namespace

bool is_chosen(const InterfaceChoice& choice, const Link& link) {
  if (choice.names.empty()) return is_usual(link);
  return std::ranges::find(choice.names, link.name) != choice.names.end();
}

Attachments::Attachments(Program program, InterfaceChoice choice, const Tables& tables, Log log)
    : program_(std::move(program)), choice_(std::move(choice)), tables_(tables), log_(std::move(log)) {}

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
  if (attached_.empty()) log_.warn("attached to no interface yet: none is Ethernet, up and able to run XDP");
  return {};
}

void Attachments::take(const LinkEvent& event) {
  if (event.removed) return forget(event.link.index);
  const auto found = attached_.find(event.link.index);
  if (found != attached_.end()) return describe(event.link, found->second.hook);
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
  for (const fs::directory_entry& entry : fs::directory_iterator(program_.links_directory, problem)) {
    const auto index = index_in(entry.path().filename().string());
    if (!index) continue;  // not ours
    if (auto adopted = adopt_link(*index, entry.path().string(), links); !adopted)
      return with_context("adopting " + entry.path().string(), adopted.error());
  }
  if (problem) return fail_privileged("reading " + program_.links_directory, problem.value());
  return {};
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
  const bool is_named = choice_.names.empty() || is_chosen(choice_, found->second);
  if (!is_named || !is_allowed(choice_.mode, *hook)) {
    log_.info(fmt::format("{}: detaching, the options no longer ask for it", found->second.name));
    if (auto detached = detach(*link); !detached) return detached;
    unlink(path.c_str());
    return {};
  }
  if (auto replaced = replace_xdp(*link, program_.fd); !replaced) return replaced;
  attached_[index] = Attachment{std::move(*link), *hook};
  describe(found->second, *hook);
  log_.info(fmt::format("{}: program replaced, {} XDP as before", found->second.name,
                        *hook == Hook::native ? "native" : "generic"));
  return {};
}

Result<void> Attachments::attach(const Link& link) {
  // The packet path would take the IP header of a tunnel device's packets for an Ethernet header.
  if (!link.is_ethernet && !link.is_loopback)
    return fail(ErrorCode::invalid_argument, fmt::format("attaching to {}: it is no Ethernet interface", link.name));
  describe(link, Hook::generic);  // the mode that promises less, until it is known
  auto attachment = try_modes(link);
  if (!attachment) return fail(attachment.error());
  describe(link, attachment->hook);
  const std::string path = path_of(link.index);
  unlink(path.c_str());  // of an interface that had the same index before
  if (auto pinned = pin_link(attachment->link, path); !pinned) return pinned;
  attached_[link.index] = std::move(*attachment);
  return {};
}

Result<Attachments::Attachment> Attachments::try_modes(const Link& link) const {
  std::string why_not_native = "as --mode asks";
  const bool is_veth = link.kind == "veth";
  if (choice_.mode == ModeChoice::automatic && is_veth) {
    why_not_native = "because a veth sends native XDP's frames only if its other end runs an XDP program, too";
  } else if (choice_.mode != ModeChoice::generic) {
    auto native = attach_xdp(program_.fd, link, Hook::native);
    if (native) {
      log_.info(fmt::format("{}: attached, native XDP", link.name));
      if (is_veth)
        log_.warn(
            fmt::format("{}: native XDP on a veth loses all that it sends unless the other end runs an "
                        "XDP program, too",
                        link.name));
      return Attachment{std::move(*native), Hook::native};
    }
    const ErrorCode code = native.error().code;
    if (choice_.mode == ModeChoice::native || code == ErrorCode::busy || code == ErrorCode::permission_denied)
      return fail(native.error());
    why_not_native = fmt::format("because {}", native.error().message);
  }
  auto generic = attach_xdp(program_.fd, link, Hook::generic);
  if (!generic) return fail(generic.error());
  log_.info(fmt::format("{}: attached, generic XDP, {}", link.name, why_not_native));
  return Attachment{std::move(*generic), Hook::generic};
}

std::string Attachments::path_of(u32 index) const { return fmt::format("{}/{}", program_.links_directory, index); }

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
  log_.info(fmt::format("interface {} is gone", index));
}

}  // namespace penstock::control
