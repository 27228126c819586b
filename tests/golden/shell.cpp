#include "tests/golden/shell.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>

namespace penstock::golden {

namespace {

using Words = std::vector<std::string>;

constexpr std::array operators = {"&&", "||", ";", "|", ">", "<"};  // longer ones first

tl::unexpected<Error> unknown(const std::string& what) {
  return fail(ErrorCode::unsupported, "a shell is asked for: " + what);
}

bool is_operator(const std::string& token) {
  return std::find(operators.begin(), operators.end(), token) != operators.end();
}

// Where a quoted part or $(…) that begins at `at` ends; past the text where it never does.
std::size_t end_of_unit(const std::string& text, std::size_t at) {
  if (text[at] == '\'' || text[at] == '"') {
    const auto end = text.find(text[at], at + 1);
    return end == std::string::npos ? text.size() + 1 : end + 1;
  }
  if (text.compare(at, 2, "$(") != 0) return at + 1;
  for (std::size_t end = at + 2; end < text.size(); end = end_of_unit(text, end)) {
    if (text[end] == ')') return end + 1;
  }
  return text.size() + 1;
}

// Operators, and words with all their quotes.
Result<Words> split_tokens(const std::string& line) {
  Words tokens;
  bool in_word = false;
  for (std::size_t at = 0; at < line.size();) {
    const auto starts_here = [&](const char* text) { return line.compare(at, std::string(text).size(), text) == 0; };
    const auto found = std::find_if(operators.begin(), operators.end(), starts_here);
    if (line[at] == '\\' || line[at] == '`' || line[at] == '#') return unknown(line);
    if (std::isspace(static_cast<unsigned char>(line[at])) != 0) {
      in_word = false;
      ++at;
    } else if (found != operators.end()) {
      tokens.emplace_back(*found);
      in_word = false;
      at += tokens.back().size();
    } else {
      const std::size_t end = end_of_unit(line, at);
      if (end > line.size()) return unknown(line);
      if (!in_word) tokens.emplace_back();
      tokens.back() += line.substr(at, end - at);
      in_word = true;
      at = end;
    }
  }
  return tokens;
}

class Shell {
 public:
  Shell(Files& files, const Program& ipvsadm) : files_(files), ipvsadm_(ipvsadm) {}

  Result<StepResult> run(const Words& tokens, const std::string& input) {
    StepResult all;
    bool skip = false;
    for (std::size_t at = 0; at < tokens.size();) {
      const std::size_t end = end_of_list_item(tokens, at);
      const Words item(tokens.begin() + static_cast<std::ptrdiff_t>(at),
                       tokens.begin() + static_cast<std::ptrdiff_t>(end));
      if (!skip && !item.empty()) {
        auto result = item.front() == "for" ? run_loop(item, input) : run_pipe(item, input);
        if (!result) return result;
        all.output += result->output;
        all.error += result->error;
        status_ = result->status;
      }
      const std::string how = end < tokens.size() ? tokens[end] : ";";
      skip = (how == "&&" && status_ != 0) || (how == "||" && status_ == 0);
      at = end + 1;
    }
    all.status = status_;
    return all;
  }

  Result<StepResult> run_line(const std::string& line, const std::string& input) {
    auto tokens = split_tokens(line);
    if (!tokens) return tl::unexpected(tokens.error());
    return run(*tokens, input);
  }

 private:
  // The next ; && or ||, where a loop is one item with all that is in it.
  static std::size_t end_of_list_item(const Words& tokens, std::size_t at) {
    int loops = 0;
    for (; at < tokens.size(); ++at) {
      if (tokens[at] == "for") ++loops;
      if (tokens[at] == "done") --loops;
      if (loops == 0 && (tokens[at] == ";" || tokens[at] == "&&" || tokens[at] == "||")) return at;
    }
    return at;
  }

  // for NAME in WORDS ; do LIST ; done
  Result<StepResult> run_loop(const Words& tokens, const std::string& input) {
    const auto body = std::find(tokens.begin(), tokens.end(), "do");
    if (tokens.size() < 6 || tokens[2] != "in" || body == tokens.end() || tokens.back() != "done" || *(body - 1) != ";")
      return unknown("this loop");
    auto values = expand({tokens.begin() + 3, body - 1});
    if (!values) return tl::unexpected(values.error());
    StepResult all;
    for (const std::string& value : *values) {
      variables_[tokens[1]] = value;
      auto result = run({body + 1, tokens.end() - 1}, input);
      if (!result) return result;
      all.output += result->output;
      all.error += result->error;
      all.status = result->status;
    }
    return all;
  }

  Result<StepResult> run_pipe(const Words& tokens, const std::string& input) {
    StepResult all{.output = input};
    for (auto begin = tokens.begin();;) {
      const auto end = std::find(begin, tokens.end(), "|");
      auto result = run_redirected({begin, end}, all.output);
      if (!result) return result;
      all.output = std::move(result->output);
      all.error += result->error;
      all.status = result->status;
      if (end == tokens.end()) return all;
      begin = end + 1;
    }
  }

  Result<StepResult> run_redirected(const Words& tokens, std::string input) {
    Words command;
    std::optional<std::string> target;
    for (std::size_t at = 0; at < tokens.size(); ++at) {
      if (!is_operator(tokens[at])) {
        command.push_back(tokens[at]);
        continue;
      }
      if (at + 1 == tokens.size()) return unknown("a redirection to nowhere");
      const bool is_output = tokens[at] == ">";
      const auto name = expand({tokens[++at]});
      if (!name || name->size() != 1) return unknown("a redirection to " + tokens[at]);
      if (is_output) {
        target = absolute(name->front());
      } else {
        auto text = files_.read(absolute(name->front()));
        if (!text) return tl::unexpected(text.error());
        input = std::move(*text);
      }
    }
    auto words = expand(command);
    if (!words) return tl::unexpected(words.error());
    auto result = run_words(*words, input);
    if (!result || !target) return result;
    return write_output(words->front(), *target, std::move(*result));
  }

  // dash names the word twice when its output could not be written.
  Result<StepResult> write_output(const std::string& word, const std::string& path, StepResult result) {
    const auto written = files_.write(path, result.output);
    result.output.clear();
    if (written) return result;
    if (written.error().code == ErrorCode::unsupported) return tl::unexpected(written.error());
    result.error += "/bin/sh: 1: " + word + ": " + word + ": I/O error\n";
    result.status = 1;
    return result;
  }

  Result<StepResult> run_words(const Words& words, const std::string& input) {
    if (words.empty()) return unknown("a command without words");
    const std::string& name = words.front();
    if (name == "ipvsadm") return ipvsadm_(words, input);
    if (name == "echo") return echo(words);
    if (name == "cat") return cat(words, input);
    if (name == "diff") return diff(words, input);
    if (name == "cd" && words.size() == 2) {
      folder_ = absolute(words[1]);
      return StepResult{};
    }
    return unknown(name);
  }

  static StepResult echo(const Words& words) {
    StepResult result;
    for (std::size_t i = 1; i < words.size(); ++i) result.output += (i == 1 ? "" : " ") + words[i];
    result.output += "\n";
    return result;
  }

  Result<StepResult> cat(const Words& words, const std::string& input) {
    StepResult result;
    if (words.size() == 1) result.output = input;
    for (std::size_t i = 1; i < words.size(); ++i) {
      auto text = files_.read(absolute(words[i]));
      if (!text) return tl::unexpected(text.error());
      result.output += *text;
    }
    return result;
  }

  // Whether two texts differ; not where.
  Result<StepResult> diff(const Words& words, const std::string& input) {
    if (words.size() != 3) return unknown("diff of other than two files");
    const auto one = words[1] == "-" ? Result<std::string>(input) : files_.read(absolute(words[1]));
    const auto other = words[2] == "-" ? Result<std::string>(input) : files_.read(absolute(words[2]));
    if (!one) return tl::unexpected(one.error());
    if (!other) return tl::unexpected(other.error());
    if (*one == *other) return StepResult{};
    return StepResult{.status = 1, .output = "differ:\n" + *one + "---\n" + *other};
  }

  [[nodiscard]] std::string absolute(const std::string& path) const {
    return path.starts_with("/") ? path : folder_ + "/" + path;
  }

  Result<Words> expand(const Words& raw) {
    Words words;
    for (const std::string& word : raw) {
      auto fields = expand_word(word);
      if (!fields) return fields;
      words.insert(words.end(), fields->begin(), fields->end());
    }
    return words;
  }

  // Quotes keep blanks and stars; what $ gives outside of them is split at blanks.
  Result<Words> expand_word(const std::string& raw) {
    Words fields;
    bool open = false;  // does the next text belong to the last field?
    const auto add = [&](const std::string& text) {
      if (!open) fields.emplace_back();
      fields.back() += text;
      open = true;
    };
    for (std::size_t at = 0; at < raw.size();) {
      std::size_t end = end_of_unit(raw, at);
      if (raw[at] == '\'') {
        add(raw.substr(at + 1, end - at - 2));
      } else if (raw[at] == '"') {
        auto text = substitute(raw.substr(at + 1, end - at - 2));
        if (!text) return tl::unexpected(text.error());
        add(*text);
      } else if (raw[at] == '$') {
        end = end_of_parameter(raw, at);
        auto text = substitute(raw.substr(at, end - at));
        if (!text) return tl::unexpected(text.error());
        std::istringstream parts(*text);
        for (std::string part; parts >> part; open = parts.eof()) add(part);
      } else {
        add(raw.substr(at, 1));
      }
      at = end;
    }
    if (raw.find('*') == std::string::npos || raw.find_first_of("'\"$") != std::string::npos) return fields;
    return matching_files(raw);
  }

  static std::size_t end_of_parameter(const std::string& text, std::size_t at) {
    if (text.compare(at, 2, "$(") == 0) return end_of_unit(text, at);
    if (text.compare(at, 2, "$?") == 0) return at + 2;
    const auto is_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    std::size_t end = at + 1;
    while (end < text.size() && is_name(text[end])) ++end;
    return end;
  }

  // All that begins with $, inside or outside of double quotes.
  Result<std::string> substitute(const std::string& text) {
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
      if (text[at] != '$') {
        result += text[at++];
        continue;
      }
      const std::size_t end = end_of_parameter(text, at);
      const std::string name = text.substr(at + 1, end - at - 1);
      at = end;
      if (name == "?") {
        result += std::to_string(status_);
      } else if (name.starts_with("(")) {
        auto inner = run_line(name.substr(1, name.size() - 2), "");
        if (!inner) return tl::unexpected(inner.error());
        while (inner->output.ends_with('\n')) inner->output.pop_back();
        result += inner->output;
      } else {
        result += variables_[name];
      }
    }
    return result;
  }

  Result<Words> matching_files(const std::string& glob) {
    if (glob.find('/') != std::string::npos) return unknown("files " + glob);
    Words names;
    for (const std::string& name : files_.list(folder_)) {
      if (fnmatch(glob.c_str(), name.c_str(), 0) == 0) names.push_back(name);
    }
    if (names.empty()) names.push_back(glob);
    return names;
  }

  Files& files_;
  const Program& ipvsadm_;
  std::string folder_;
  std::map<std::string, std::string> variables_;
  int status_ = 0;
};

}  // namespace

Result<StepResult> run_shell(const std::string& line, const std::string& input, Files& files, const Program& ipvsadm) {
  return Shell(files, ipvsadm).run_line(line, input);
}

}  // namespace penstock::golden
