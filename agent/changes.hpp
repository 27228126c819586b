// Start, stop and status as decisions over a host and its journal. The rules:
//   - the journal says what was found before anything is changed; a second start keeps what the first one found
//   - what is as wanted already is not touched, and was not ours: stop leaves it
//   - stop puts back what is still as start left it; what somebody has changed since is theirs, and is said
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/host.hpp"
#include "agent/journal.hpp"

namespace penstock::agent {

struct Wanted {
  Setting setting;
  std::string value;      // of a program: its name
  std::string made_from;  // of a program: what it is told

  friend bool operator==(const Wanted&, const Wanted&) = default;
};

// In the order in which they are to be made; stop goes the other way.
struct Plan {
  std::string purpose;
  std::vector<Wanted> settings;
};

using Save = std::function<Result<void>(const Journal&)>;

struct Refusal {
  Setting setting;
  Error error;
};

struct Started {
  Journal journal;
  std::vector<std::string> done;   // one line for each change, for people
  std::optional<Refusal> refusal;  // the first change that could not be made; those before it stand
};

// `before`: the journal of an earlier start; what it has and `plan` has not is put back first.
[[nodiscard]] Result<Started> start(const Plan& plan, const std::optional<Journal>& before, Host& host,
                                    const Save& save);

struct Stopped {
  Journal left;                    // what could not be put back: to be tried again
  std::vector<std::string> done;   // one line each, for people
  std::vector<std::string> notes;  // what was left to somebody else
  std::vector<std::string> failures;
};

[[nodiscard]] Stopped stop(const Journal& journal, Host& host);

struct Standing {
  Setting setting;
  std::string wanted;
  std::string current;  // or why it can't be read
  bool is_right = false;
};

[[nodiscard]] std::vector<Standing> compare(const Plan& plan, Host& host);
// As an earlier start wanted it.
[[nodiscard]] Plan plan_of(const Journal& journal);

}  // namespace penstock::agent
