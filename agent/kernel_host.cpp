#include "agent/kernel_host.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "agent/bpf_hooks.hpp"

namespace penstock::agent {
namespace {

using model::Address;
using model::Family;

std::string sysctl_path(const std::string& name) {
  std::string path = "/proc/sys/" + name;
  std::ranges::replace(path.begin() + 10, path.end(), '.', '/');
  return path;
}

Result<std::string> read_sysctl(const std::string& name) {
  std::ifstream file(sysctl_path(name));
  std::string value;
  if (!std::getline(file, value)) return fail_errno("reading " + sysctl_path(name), errno == 0 ? EIO : errno);
  return value;
}

Result<void> write_sysctl(const std::string& name, const std::string& value) {
  std::ofstream file(sysctl_path(name));
  if (!(file << value << std::flush)) return fail_errno("writing " + sysctl_path(name), errno == 0 ? EIO : errno);
  return {};
}

Result<std::uint32_t> index_of(const std::string& interface) {
  const unsigned index = if_nametoindex(interface.c_str());
  if (index == 0) return fail(ErrorCode::not_found, "there is no such interface", ENODEV);
  return index;
}

// From our own files and plans, so it is one.
Result<Address> address_of(const std::string& text) {
  const auto address = model::parse_address(text);
  if (!address) return fail(ErrorCode::invalid_argument, fmt::format("\"{}\" is not an address", text));
  return *address;
}

bool is_link_local(const Address& address) {
  const auto& bytes = address.bytes;
  return address.family == Family::ipv4 ? bytes[0] == 169 && bytes[1] == 254
                                        : bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

// lo:0, or the first of its kind that is free: labels are for people and old tools, which take equal ones for one.
std::string free_label(const std::vector<AddressRow>& rows) {
  for (int number = 0;; ++number) {
    const std::string label = fmt::format("lo:{}", number);
    if (std::ranges::find(rows, label, &AddressRow::label) == rows.end()) return label;
  }
}

std::string presence(bool is_present) { return is_present ? present : absent; }

}  // namespace

Result<Facts> read_facts(Netlink& netlink) {
  const auto links = netlink.links();
  if (!links) return fail(links.error());
  const auto addresses = netlink.addresses();
  if (!addresses) return fail(addresses.error());
  const auto lo = index_of("lo");
  if (!lo) return fail(lo.error());
  Facts facts;
  for (const LinkRow& link : *links)
    facts.interfaces.push_back({link.name, link.kind, link.is_up, link.is_ethernet, link.is_enslaved});
  for (const AddressRow& row : *addresses)
    if (row.interface != *lo && !is_link_local(row.address)) facts.own_addresses.push_back(row.address);
  std::ranges::sort(facts.own_addresses);  // so that the same addresses are the same text
  const auto equal = std::ranges::unique(facts.own_addresses);
  facts.own_addresses.erase(equal.begin(), equal.end());
  return facts;
}

Result<std::string> KernelHost::read(const Setting& setting) {
  const bool is_at_interface = setting.kind != Kind::sysctl && setting.kind != Kind::cgroup;
  const bool is_about_lo = setting.kind == Kind::address || setting.kind == Kind::route;
  const auto index = is_at_interface ? index_of(is_about_lo ? "lo" : setting.name) : Result<std::uint32_t>(0);
  if (!index) return fail(index.error());
  switch (setting.kind) {
    case Kind::sysctl:
      return read_sysctl(setting.name);
    case Kind::address:
      return netlink_.addresses().map([&](const std::vector<AddressRow>& rows) {
        return presence(std::ranges::any_of(rows, [&](const AddressRow& row) {
          return row.interface == *index && to_string(row.address) == setting.name;
        }));
      });
    case Kind::route: {
      const auto address = address_of(setting.name);
      if (!address) return fail(address.error());
      return netlink_.has_host_route(*address, *index).map(presence);
    }
    case Kind::clsact:
      return netlink_.has_clsact(*index).map(presence);
    case Kind::xdp:
      return read_xdp(*index);
    case Kind::tc_in:
      return read_tc(*index, TcSide::in);
    case Kind::tc_out:
      return read_tc(*index, TcSide::out);
    case Kind::cgroup:
      return read_cgroup(setting.name);
  }
  return fail(ErrorCode::invalid_argument, "a setting of no kind");
}

Result<void> KernelHost::write(const Setting& setting, const std::string& value) {
  switch (setting.kind) {
    case Kind::sysctl:
      return write_sysctl(setting.name, value);
    case Kind::address:
      return write_address(setting, value);
    case Kind::route:
      return write_route(setting, value);
    case Kind::cgroup:
      return write_cgroup(setting.name, value, cgroup_);
    case Kind::clsact:
    case Kind::xdp:
    case Kind::tc_in:
    case Kind::tc_out:
      break;
  }
  const auto index = index_of(setting.name);
  if (!index) return fail(index.error());
  if (setting.kind == Kind::clsact) return write_clsact(*index, value);
  if (setting.kind == Kind::xdp) return write_xdp(*index, value);
  return write_tc(*index, setting.kind == Kind::tc_in ? TcSide::in : TcSide::out, value);
}

Result<void> KernelHost::write_address(const Setting& setting, const std::string& value) {
  const auto address = address_of(setting.name);
  const auto lo = index_of("lo");
  if (!address) return fail(address.error());
  if (!lo) return fail(lo.error());
  if (value == absent) return netlink_.delete_address(*address, *lo);
  const auto rows = netlink_.addresses();
  if (!rows) return fail(rows.error());
  auto added = netlink_.add_address(*address, *lo, free_label(*rows));
  if (!added && address->family == Family::ipv6 && added.error().errno_value == EACCES)
    return fail(ErrorCode::unsupported, "IPv6 is off on lo (net.ipv6.conf.lo.disable_ipv6)", EACCES);
  return added;
}

Result<void> KernelHost::write_route(const Setting& setting, const std::string& value) {
  const auto address = address_of(setting.name);
  const auto lo = index_of("lo");
  if (!address) return fail(address.error());
  if (!lo) return fail(lo.error());
  return value == absent ? netlink_.delete_host_route(*address, *lo) : netlink_.add_host_route(*address, *lo);
}

// It is taken away only when nobody else has come to use it.
Result<void> KernelHost::write_clsact(std::uint32_t interface, const std::string& value) {
  if (value == present) return make_clsact(interface);
  for (const auto side : {Netlink::Side::in, Netlink::Side::out}) {
    const auto filters = netlink_.count_filters(interface, side);
    if (!filters) return fail(filters.error());
    if (*filters != 0) return {};
  }
  return remove_clsact(interface);
}

}  // namespace penstock::agent
