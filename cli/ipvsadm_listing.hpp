// What `ipvsadm -L` prints of services and real servers, column by column.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "api/types.hpp"
#include "cli/ipvsadm_names.hpp"
#include "cli/ipvsadm_options.hpp"

namespace penstock::cli {

enum class Columns { plain, stats, rate, thresholds, persistent_conn, tunnel };

struct ListingStyle {
  Columns columns = Columns::plain;
  bool exact = false;  // --exact: all digits
  bool sorted = true;
  AddressText address;
};

// Of several columns asked for, ipvsadm prints one kind. `names` stays the caller's.
[[nodiscard]] ListingStyle listing_style(OptionSet given, const Names& names);

void print_version(std::ostream& out, const api::Info& info);
void print_header(std::ostream& out, Columns columns);
// The service's line and those of its real servers.
void print_service(std::ostream& out, api::ServiceView view, const ListingStyle& style);

// "SCTP 10.1.0.100:80", "FWM  5 IPv6". ipvsadm 1.31 prints marks from 2^31 on as negative numbers: kept.
[[nodiscard]] std::string service_name(const model::ServiceKey& key, const AddressText& address);
// Protocol by which the ports of this service have names; none for a firewall mark.
[[nodiscard]] std::optional<model::Protocol> naming_protocol(const model::ServiceKey& key);
// " persistent 300 mask 255.255.0.0" in a listing: the mask, or nothing if it covers the whole address.
[[nodiscard]] std::optional<std::string> netmask_text(const model::Service& service);

// A counter in a column: from 10^8 on with K, M, G or T.
[[nodiscard]] std::string counter_text(std::uint64_t value, bool exact);

}  // namespace penstock::cli
