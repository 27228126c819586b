// The director's machine around the packets: its shell, its files in /proc, and what recordings do to it besides ipvsadm.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/golden/mark_chain.hpp"
#include "tests/golden/shell.hpp"
#include "tests/golden/subject.hpp"

namespace penstock::golden {

class Machine final : public Files {
 public:
  // Both outlive it. `director` is the subject's.
  Machine(Subject& subject, api::Director& director) : subject_(subject), director_(director) {}

  // A line for a shell. ErrorCode::unsupported: what the shell, or Penstock, does not have.
  Result<StepResult> run_line(const std::string& line, const std::string& input);

  // iptables' MARK rules; what the director needs no help of the system for.
  Result<void> run_guest(const std::vector<std::string>& words);

  // "net.ipv4.vs.sloppy_tcp"
  Result<void> set(const std::string& name, const std::string& value);

  Result<std::string> read(const std::string& path) override;
  Result<void> write(const std::string& path, const std::string& text) override;
  std::vector<std::string> list(const std::string& folder) override;

 private:
  Result<void> apply_marks();
  Result<std::string> read_services();
  Result<std::string> read_setting(const std::string& name);

  Subject& subject_;
  api::Director& director_;
  MarkChain marks_;
  std::map<std::string, std::string> files_;  // those that the recording itself wrote
};

}  // namespace penstock::golden
