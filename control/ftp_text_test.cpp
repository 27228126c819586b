#include "control/ftp_text.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace penstock::control {
namespace {

struct AnnouncementCase {
  const char* text;
  Family family;
  u16 port;          // 0: the text announces nothing
  const char* part;  // that names it
};

const AnnouncementCase announcements[] = {
    {"227 Entering Passive Mode (10,2,0,11,117,48).\r\n", Family::ipv4, 30000, "10,2,0,11,117,48"},
    {"227 Entering Passive Mode 10,2,0,11,117,48\r\n", Family::ipv4, 30000, "10,2,0,11,117,48"},
    {"227 =10,2,0,11,0,1\r\n", Family::ipv4, 1, "10,2,0,11,0,1"},
    {"227 ((255,255,255,255,255,255)", Family::ipv4, 65535, "255,255,255,255,255,255"},
    {"227 (010,002,000,011,117,048)", Family::ipv4, 30000, "010,002,000,011,117,048"},
    {"227 Entering Passive Mode (10,2,0,11,117,48", Family::ipv4, 0, ""},  // the last number may go on
    {"227 Entering Passive Mode (10,2,0,11,117)", Family::ipv4, 0, ""},
    {"227 Entering Passive Mode (10,2,0,256,117,48)", Family::ipv4, 0, ""},
    {"227 Entering Passive Mode (10,2,0,11,0,0)", Family::ipv4, 0, ""},
    {"227 Entering Passive Mode (10,2,0,11,,48)", Family::ipv4, 0, ""},
    {"227 Entering Passive Mode (-10,2,0,11,1,48)", Family::ipv4, 0, ""},
    {"227 Entering Passive Mode (10,2,0,11,117,48)", Family::ipv6, 0, ""},
    {"227-Entering Passive Mode (10,2,0,11,117,48)", Family::ipv4, 0, ""},
    {"227 ", Family::ipv4, 0, ""},
    {"227", Family::ipv4, 0, ""},
    {"", Family::ipv4, 0, ""},
    {"200 (10,2,0,11,117,48)", Family::ipv4, 0, ""},
    {"229 Entering Extended Passive Mode (|||30000|)\r\n", Family::ipv4, 30000, "|||30000|"},
    {"229 Entering Extended Passive Mode (|||30000|)\r\n", Family::ipv6, 30000, "|||30000|"},
    {"229 (!!!1!)", Family::ipv6, 1, "!!!1!"},
    {"229 (|1|10.2.0.11|65535|)", Family::ipv4, 65535, "|1|10.2.0.11|65535|"},
    {"229 (|2|fd00:2::11|65535|)", Family::ipv6, 65535, "|2|fd00:2::11|65535|"},
    {"229 (|2|fd00:2::11|65535|)", Family::ipv4, 0, ""},
    {"229 (|1||65535|)", Family::ipv4, 0, ""},
    {"229 (||10.2.0.11|65535|)", Family::ipv4, 0, ""},
    {"229 (|||65536|)", Family::ipv4, 0, ""},
    {"229 (|||0|)", Family::ipv4, 0, ""},
    {"229 (|||12)", Family::ipv4, 0, ""},
    {"229 (||12|)", Family::ipv4, 0, ""},
    {"229 (|||", Family::ipv4, 0, ""},
    {"229 (", Family::ipv4, 0, ""},
    {"229 no bracket |||12|", Family::ipv4, 0, ""},
    {"229 ( ||12|)", Family::ipv4, 0, ""},
};

TEST(FtpText, announcements) {
  for (const AnnouncementCase& each : announcements) {
    SCOPED_TRACE(each.text);
    const auto found = announcement_in(each.text, each.family);
    ASSERT_EQ(found.has_value(), each.port != 0);
    if (!found) continue;
    EXPECT_EQ(found->port, each.port);
    EXPECT_EQ(std::string_view(each.text).substr(found->begin, found->length), each.part);
    EXPECT_EQ(found->is_extended, each.text[2] == '9');
  }
}

TEST(FtpText, whatever_is_cut_off_announces_nothing) {
  const std::string_view whole = "227 Entering Passive Mode (10,2,0,11,117,48)";
  const std::string_view extended = "229 Entering Extended Passive Mode (|||30000|";
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(announcement_in(whole.substr(0, length), Family::ipv4)) << length;
  for (std::size_t length = 0; length < extended.size(); ++length)
    EXPECT_FALSE(announcement_in(extended.substr(0, length), Family::ipv6)) << length;
  EXPECT_TRUE(announcement_in(whole, Family::ipv4));
  EXPECT_TRUE(announcement_in(extended, Family::ipv6));
}

struct PortCase {
  const char* text;
  Family family;
  const char* address;  // empty: the text tells none
  u16 port;
};

const PortCase ports[] = {
    {"PORT 198,51,100,7,156,64\r\n", Family::ipv4, "198.51.100.7", 40000},
    {"port  198,51,100,7,156,64\r\n", Family::ipv4, "198.51.100.7", 40000},
    {"PORT198,51,100,7,156,64\r\n", Family::ipv4, "198.51.100.7", 40000},
    {"PORT 198,51,100,7,156,64\r\n", Family::ipv6, "", 0},
    {"PORT 198,51,100,7,156\r\n", Family::ipv4, "", 0},
    {"PORT 198,51,100,7,156,64", Family::ipv4, "", 0},
    {"PORT\r\n", Family::ipv4, "", 0},
    {"EPRT |1|198.51.100.7|40000|\r\n", Family::ipv4, "198.51.100.7", 40000},
    {"eprt +1+198.51.100.7+40000+\r\n", Family::ipv4, "198.51.100.7", 40000},
    {"EPRT |2|2001:db8::7|40000|\r\n", Family::ipv6, "2001:db8::7", 40000},
    {"EPRT |1|198.51.100.7|40000|\r\n", Family::ipv6, "", 0},
    {"EPRT |1|2001:db8::7|40000|\r\n", Family::ipv4, "", 0},
    {"EPRT |||40000|\r\n", Family::ipv4, "", 0},
    {"EPRT |1|198.51.100|40000|\r\n", Family::ipv4, "", 0},
    {"EPRT |1|198.51.100.7|40000", Family::ipv4, "", 0},
    {"EPRT |1|198.51.100.7", Family::ipv4, "", 0},
    {"EPRT", Family::ipv4, "", 0},
    {"RETR 198,51,100,7,156,64\r\n", Family::ipv4, "", 0},
};

TEST(FtpText, data_ports) {
  for (const PortCase& each : ports) {
    SCOPED_TRACE(each.text);
    const auto found = data_port_in(each.text, each.family);
    ASSERT_EQ(found.has_value(), each.address[0] != '\0');
    if (!found) continue;
    char shown[INET6_ADDRSTRLEN];
    inet_ntop(each.family == Family::ipv4 ? AF_INET : AF_INET6, &found->address, shown, sizeof shown);
    EXPECT_STREQ(shown, each.address);
    EXPECT_EQ(found->port, each.port);
  }
}

TEST(FtpText, what_is_announced_instead) {
  AddressImage address{};
  inet_pton(AF_INET, "192.0.2.1", &address);
  EXPECT_EQ(announced({.port = 1, .begin = 0, .length = 0, .is_extended = false}, address, 30000), "192,0,2,1,117,48");
  EXPECT_EQ(announced({.port = 1, .begin = 0, .length = 0, .is_extended = true}, {}, 65535), "|||65535|");
}

}  // namespace
}  // namespace penstock::control
