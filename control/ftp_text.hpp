// What FTP's control connections say about data connections (RFC 959 §4.1.2, §4.2; RFC 2428), read as IPVS reads it
// (ip_vs_ftp.c: ip_vs_ftp_get_addrport): only where a segment begins with it. Pure: text in, values out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "datapath/abi/address.hpp"

namespace penstock::control {

// "227 Entering Passive Mode (10,2,0,11,117,48)" or "229 Entering Extended Passive Mode (|||30000|)".
struct FtpAnnouncement {
  u16 port;           // at which the real server waits; never 0
  std::size_t begin;  // of the part that names it, in the text
  std::size_t length;
  bool is_extended;  // 229
};

// `family`: the connection's. 227 knows IPv4 alone. The address that the text may have is the real server's or it isn't: it is
// not looked at, as data goes where its control connection goes.
[[nodiscard]] std::optional<FtpAnnouncement> announcement_in(std::string_view text, Family family);

// "PORT 198,51,100,7,156,64" or "EPRT |2|2001:db8::7|40000|".
struct FtpDataPort {
  AddressImage address;  // at which the client waits
  u16 port;
};

[[nodiscard]] std::optional<FtpDataPort> data_port_in(std::string_view text, Family family);

// What to say in place of the announced part: `address` is IPv4, or not needed.
[[nodiscard]] std::string announced(const FtpAnnouncement& announcement, const AddressImage& address, u16 port);

}  // namespace penstock::control
