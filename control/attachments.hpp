// Which interfaces the data plane's program is attached to, as native or generic XDP or by TC, and that it stays so: interfaces that
// appear later are attached, those of a former daemon get the new program in place of the old between two packets.
//
// An XDP attachment is a pinned BPF link named by the interface's index, a TC attachment a filter (tc_filter.hpp); both end when the
// interface does, or with --unload.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/types.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "control/loader.hpp"
#include "control/log.hpp"
#include "control/rtnetlink.hpp"
#include "datapath/native/tables.hpp"

namespace penstock::control {

enum class ModeChoice { automatic, native, generic, tc };

struct InterfaceChoice {
  std::vector<std::string> names;  // none: every Ethernet interface that is up and not part of a bridge or bond
  ModeChoice mode = ModeChoice::automatic;
};

[[nodiscard]] bool is_chosen(const InterfaceChoice& choice, const Link& link);

// What is tried on an interface, in this order, and why it isn't just native XDP; empty: it is (ADR-0012).
struct Ways {
  std::vector<Hook> hooks;
  std::string why;
};
[[nodiscard]] Ways ways_onto(const Link& link, ModeChoice mode);

// "native", "generic", "tc": as the option --mode has them.
[[nodiscard]] std::string_view name_of(Hook hook);

class Attachments {
 public:
  struct Programs {
    int xdp;                                   // outlives the object
    std::function<Result<int>(TcProgram)> tc;  // loads it, if it isn't; what it gives outlives the object
    std::string links_directory;               // on a bpffs
    std::string qdiscs_directory;              // on a bpffs
  };

  // `tables` outlive the object.
  Attachments(Programs programs, InterfaceChoice choice, const Tables& tables, Log log);

  // At the start. Names that aren't there and interfaces that can't be attached are errors now; later they are warnings.
  Result<void> start(const std::map<u32, Link>& links);
  // What changed on a link.
  void take(const LinkEvent& event);
  // Whether the kernel's own packets are watched on their way out, as they must be while real servers are the director itself.
  void watch_own(bool wanted);
  // What is attached where, by interface index.
  [[nodiscard]] std::vector<api::InterfaceView> list() const;

 private:
  struct Attachment {
    File link;  // of XDP
    Hook hook = Hook::generic;
    std::string name;  // of the interface
  };

  Result<void> check_names(const std::map<u32, Link>& links) const;
  Result<void> adopt(const std::map<u32, Link>& links);
  Result<void> adopt_link(u32 index, const std::string& path, const std::map<u32, Link>& links);
  Result<void> adopt_filter(const Link& link);
  [[nodiscard]] bool is_asked_for(const Link& link, Hook hook) const;
  Result<void> attach(const Link& link);
  Result<Attachment> try_ways(const Link& link) const;
  Result<Attachment> try_way(const Link& link, Hook hook) const;
  Result<Attachment> attach_by_xdp(const Link& link, Hook hook) const;
  Result<Attachment> attach_by_tc(const Link& link) const;
  void watch_on(u32 index, const Attachment& attachment) const;
  [[nodiscard]] std::string path_of(u32 index) const;
  [[nodiscard]] std::string qdisc_pin_of(u32 index) const;
  void describe(const Link& link, Hook hook);
  void forget(u32 index);

  Programs programs_;
  InterfaceChoice choice_;
  const Tables& tables_;
  Log log_;
  std::optional<bool> watches_own_;     // nothing: what a former daemon left is not known
  std::map<u32, Attachment> attached_;  // by interface index
  std::map<u32, std::string> refused_;  // and why, so that it is said once
};

}  // namespace penstock::control
