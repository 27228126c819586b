#include "tests/tree/include_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace penstock::tree {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct IncludeCase {
  const char* name;
  Source source;
  const char* breach;  // nullptr: none
};

const IncludeCase include_cases[] = {
    {"a_room_includes_itself", {"model/diff.cpp", "#include \"model/diff.hpp\"\n"}, nullptr},
    {"model_includes_base", {"model/diff.cpp", "#include \"base/result.hpp\"\n"}, nullptr},
    {"base_knows_no_domain_word",
     {"base/log.cpp", "// log\n#include \"model/service.hpp\"\n"},
     "base/log.cpp:2: \"model/service.hpp\": base may not include model"},
    {"core_includes_abi", {"datapath/core/parse.cpp", "#include \"datapath/abi/types.hpp\"\n"}, nullptr},
    {"abi_does_not_include_core",
     {"datapath/abi/a.cpp", "#include \"datapath/core/parse.hpp\"\n"},
     "datapath/abi/a.cpp:1: \"datapath/core/parse.hpp\": datapath/abi may not include datapath/core"},
    {"core_does_not_include_bpf",
     {"datapath/core/a.cpp", "#include \"datapath/bpf/maps.hpp\"\n"},
     "datapath/core/a.cpp:1: \"datapath/bpf/maps.hpp\": datapath/core may not include datapath/bpf"},
    {"api_does_not_include_control",
     {"api/server.cpp", "#include \"control/writer.hpp\"\n"},
     "api/server.cpp:1: \"control/writer.hpp\": api may not include control"},
    {"control_does_not_include_cli",
     {"control/a.cpp", "#include \"cli/grammar.hpp\"\n"},
     "control/a.cpp:1: \"cli/grammar.hpp\": control may not include cli"},
    {"cli_does_not_see_maps",
     {"cli/a.cpp", "#include \"datapath/abi/service.hpp\"\n"},
     "cli/a.cpp:1: \"datapath/abi/service.hpp\": cli may not include datapath/abi"},
    {"tests_include_everything",
     {"tests/golden/a.cpp", "#include \"control/writer.hpp\"\n#include <bpf/bpf.h>\n"},
     nullptr},
    {"a_test_beside_the_code_uses_test_helpers",
     {"datapath/core/parse_test.cpp", "#include <vector>\n#include \"tests/packet/builder.hpp\"\n"},
     nullptr},
    {"a_test_beside_the_code_does_not_include_control",
     {"api/server_test.cpp", "#include \"control/writer.hpp\"\n"},
     "api/server_test.cpp:1: \"control/writer.hpp\": api may not include control"},
    {"core_uses_no_standard_headers",
     {"datapath/core/a.cpp", "#include <cstdint>\n"},
     "datapath/core/a.cpp:1: <cstdint>: datapath/core uses no standard headers"},
    {"bpf_uses_kernel_headers", {"datapath/bpf/a.cpp", "#include <linux/bpf.h>\n"}, nullptr},
    {"the_loader_uses_libbpf", {"control/loader.cpp", "#include <bpf/libbpf.h>\n"}, nullptr},
    {"the_writer_does_not_use_libbpf",
     {"control/writer.cpp", "#include <bpf/libbpf.h>\n"},
     "control/writer.cpp:1: <bpf/libbpf.h>: libbpf is for control's loader, maps, data_plane, xdp_link, tc_filter and "
     "kernel_clock, for agent's bpf_*, tests and benches"},
    {"the_real_servers_programs_use_the_packet_paths_headers",
     {"agent/bpf/a.cpp", "#include \"datapath/core/tcp_option.hpp\"\n"},
     nullptr},
    {"the_real_servers_command_does_not",
     {"agent/a.cpp", "#include \"datapath/core/tcp_option.hpp\"\n"},
     "agent/a.cpp:1: \"datapath/core/tcp_option.hpp\": agent may not include datapath/core"},
    {"spaces_hide_no_include",
     {"base/a.cpp", "  #  include  \"cli/a.hpp\"\n"},
     "base/a.cpp:1: \"cli/a.hpp\": base may not include cli"},
    {"a_comment_is_no_include", {"base/a.cpp", "// #include \"cli/a.hpp\"\n"}, nullptr},
    {"the_last_line_counts_without_its_end",
     {"base/a.cpp", "\n\n#include \"cli/a.hpp\""},
     "base/a.cpp:3: \"cli/a.hpp\": base may not include cli"},
    {"own_headers_are_named_from_the_root",
     {"base/a.cpp", "#include \"log.hpp\"\n"},
     "base/a.cpp:1: \"log.hpp\": quotes are for our own headers, by their path from the root"},
    {"a_header_guards_itself", {"base/a.hpp", "int f();\n"}, "base/a.hpp:1: no #pragma once"},
    {"a_header_that_does", {"base/a.hpp", "// a\n#pragma once\n"}, nullptr},
    {"a_file_in_no_room", {"misc/a.cpp", ""}, "misc/a.cpp:1: in no room"},
    {"a_longer_name_is_another_room", {"models/a.cpp", ""}, "models/a.cpp:1: in no room"},
};

class IncludeRules : public testing::TestWithParam<IncludeCase> {};

TEST_P(IncludeRules, hold) {
  const auto found = breaches(GetParam().source);
  if (GetParam().breach == nullptr) {
    EXPECT_THAT(found, IsEmpty());
  } else {
    EXPECT_THAT(found, ElementsAre(GetParam().breach));
  }
}

INSTANTIATE_TEST_SUITE_P(cases, IncludeRules, testing::ValuesIn(include_cases),
                         [](const auto& tested) { return std::string(tested.param.name); });

bool is_source(const std::filesystem::path& path) { return path.extension() == ".hpp" || path.extension() == ".cpp"; }

// Build directories and the repository's own records hold copies and generated code.
bool is_ours(const std::filesystem::path& folder) {
  const auto name = folder.filename().string();
  return !name.starts_with("build") && !name.starts_with('.');
}

std::vector<std::filesystem::path> sources_below(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> sources;
  for (auto entry = std::filesystem::recursive_directory_iterator(root); const auto& file : entry) {
    if (file.is_directory() && !is_ours(file.path())) entry.disable_recursion_pending();
    if (file.is_regular_file() && is_source(file.path())) sources.push_back(file.path());
  }
  return sources;
}

std::string contents_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Tree, keeps_the_include_rules) {
  const std::filesystem::path root = PENSTOCK_SOURCE_DIR;
  const auto sources = sources_below(root);
  ASSERT_THAT(sources, testing::Contains(root / "tests/tree/include_rules_test.cpp"));
  for (const auto& path : sources) {
    const auto relative = path.lexically_relative(root).string();
    const auto text = contents_of(path);
    EXPECT_NE(text, "") << relative;
    for (const auto& breach : breaches({.path = relative, .text = text})) ADD_FAILURE() << breach;
  }
}

}  // namespace
}  // namespace penstock::tree
