// Which interfaces the data plane's program is attached to, natively or generically, and that it stays so: interfaces that
// appear later are attached, those of a former daemon get the new program in place of the old between two packets.
//
// Each attachment is a pinned BPF link named by the interface's index; it ends when the interface does, or with --unload.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "control/file.hpp"
#include "control/log.hpp"
#include "control/rtnetlink.hpp"
#include "datapath/native/tables.hpp"

namespace penstock::control {

enum class ModeChoice { automatic, native, generic };

struct InterfaceChoice {
  std::vector<std::string> names;  // none: every Ethernet interface that is up and not part of a bridge or bond
  ModeChoice mode = ModeChoice::automatic;
};

[[nodiscard]] bool is_chosen(const InterfaceChoice& choice, const Link& link);

class Attachments {
 public:
  struct Program {
    int fd;                       // outlives the object
    std::string links_directory;  // on a bpffs
  };

  // `tables` outlive the object.
  Attachments(Program program, InterfaceChoice choice, const Tables& tables, Log log);

  // At the start. Names that aren't there and interfaces that can't be attached are errors now; later they are warnings.
  Result<void> start(const std::map<u32, Link>& links);
  // What changed on a link.
  void take(const LinkEvent& event);

 private:
  struct Attachment {
    File link;
    Hook hook = Hook::generic;
  };

  Result<void> check_names(const std::map<u32, Link>& links) const;
  Result<void> adopt(const std::map<u32, Link>& links);
  Result<void> adopt_link(u32 index, const std::string& path, const std::map<u32, Link>& links);
  Result<void> attach(const Link& link);
  Result<Attachment> try_modes(const Link& link) const;
  [[nodiscard]] std::string path_of(u32 index) const;
  void describe(const Link& link, Hook hook);
  void forget(u32 index);

  Program program_;
  InterfaceChoice choice_;
  const Tables& tables_;
  Log log_;
  std::map<u32, Attachment> attached_;  // by interface index
  std::map<u32, std::string> refused_;  // and why, so that it is said once
};

}  // namespace penstock::control
