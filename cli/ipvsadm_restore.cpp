#include "cli/ipvsadm_restore.hpp"

#include <string_view>

namespace penstock::cli {
namespace {

constexpr std::string_view blanks = " \t\r\n";

}  // namespace

std::optional<std::vector<std::string>> read_restore_line(std::istream& in, const std::string& program) {
  std::string line;
  if (!std::getline(in, line)) return std::nullopt;
  std::vector<std::string> words = {program};
  std::string_view rest = line;
  for (;;) {
    const auto begin = rest.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return words;
    rest.remove_prefix(begin);
    std::string word(rest.substr(0, rest.find_first_of(blanks)));
    rest.remove_prefix(word.size());
    if (word != "ipvsadm") words.push_back(std::move(word));
  }
}

}  // namespace penstock::cli
