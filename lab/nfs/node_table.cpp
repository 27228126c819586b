#include "lab/nfs/node_table.hpp"

namespace penstock::lab {

NodeTable::NodeTable(std::string root_handle) {
  numbers_.emplace(root_handle, root);
  nodes_.emplace(root, Node{.handle = std::move(root_handle)});
}

std::uint64_t NodeTable::look_up(std::string_view handle) {
  const auto [at, is_new] = numbers_.try_emplace(std::string(handle), last_number_ + 1);
  if (is_new) nodes_.emplace(++last_number_, Node{.handle = at->first});
  ++nodes_.at(at->second).lookups;
  return at->second;
}

void NodeTable::forget(std::uint64_t number, std::uint64_t lookups) {
  const auto node = nodes_.find(number);
  if (node == nodes_.end() || number == root) return;
  node->second.lookups -= std::min(lookups, node->second.lookups);
  if (node->second.lookups > 0) return;
  numbers_.erase(node->second.handle);
  nodes_.erase(node);
}

bool NodeTable::is_unchanged_since_last_open(std::uint64_t number, const Version& version) {
  const auto node = nodes_.find(number);
  if (node == nodes_.end()) return false;
  const bool is_unchanged = node->second.opened == version;
  node->second.opened = version;
  return is_unchanged;
}

}  // namespace penstock::lab
