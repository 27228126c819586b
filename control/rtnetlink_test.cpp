// What rtnetlink's messages say, from messages made by hand: this needs no kernel that has VLAN devices.
#include "control/rtnetlink.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include <array>

namespace penstock::control {
namespace {

class Message {
 public:
  template <typename Header>
  explicit Message(u16 type, const Header& header) {
    mnl_nlmsg_put_header(buffer_.data())->nlmsg_type = type;
    *static_cast<Header*>(mnl_nlmsg_put_extra_header(message(), sizeof(Header))) = header;
  }

  Message& number(u16 type, u32 value) { return attribute(type, &value, sizeof value); }
  Message& address(u16 type, const char* text) {
    const auto parsed = model::parse_address(text);
    return attribute(type, parsed->bytes.data(), parsed->family == model::Family::ipv4 ? 4 : 16);
  }
  Message& attribute(u16 type, const void* value, std::size_t bytes) {
    mnl_attr_put(message(), type, bytes, value);
    return *this;
  }
  Message& begin(u16 type) {
    nests_.push_back(mnl_attr_nest_start(message(), type));
    return *this;
  }
  Message& end() {
    mnl_attr_nest_end(message(), nests_.back());
    nests_.pop_back();
    return *this;
  }

  [[nodiscard]] const nlmsghdr* get() const { return reinterpret_cast<const nlmsghdr*>(buffer_.data()); }

 private:
  nlmsghdr* message() { return reinterpret_cast<nlmsghdr*>(buffer_.data()); }

  alignas(nlmsghdr) std::array<char, 1024> buffer_{};
  std::vector<nlattr*> nests_;
};

constexpr Mac mac = {2, 0, 0, 0, 0, 1};

Message ethernet(int index) {
  Message link(RTM_NEWLINK, ifinfomsg{.ifi_type = ARPHRD_ETHER, .ifi_index = index, .ifi_flags = IFF_UP});
  link.attribute(IFLA_ADDRESS, mac.data(), mac.size()).number(IFLA_MTU, 1500);
  return link;
}

void make_vlan(Message& link, u16 number, u16 protocol) {
  const u16 protocol_on_wire = htons(protocol);
  link.number(IFLA_LINK, 5).begin(IFLA_LINKINFO).attribute(IFLA_INFO_KIND, "vlan", 5).begin(IFLA_INFO_DATA);
  link.attribute(IFLA_VLAN_ID, &number, sizeof number);
  link.attribute(IFLA_VLAN_PROTOCOL, &protocol_on_wire, sizeof protocol_on_wire).end().end();
}

TEST(Rtnetlink, vlan_device_names_its_parent_and_tag) {
  Message message = ethernet(9);
  make_vlan(message, 100, ETH_P_8021Q);
  const auto event = parse_link(message.get());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->link.index, 9U);
  EXPECT_TRUE(event->link.is_ethernet);
  EXPECT_EQ(event->link.vlan, (VlanDevice{.parent = 5, .number = 100, .is_8021q = true}));
}

TEST(Rtnetlink, service_tag_is_told_apart) {
  Message message = ethernet(9);
  make_vlan(message, 100, ETH_P_8021AD);
  EXPECT_EQ(parse_link(message.get())->link.vlan, (VlanDevice{.parent = 5, .number = 100, .is_8021q = false}));
}

TEST(Rtnetlink, parent_in_another_namespace_is_none) {
  Message message = ethernet(9);
  message.number(IFLA_LINK_NETNSID, 1);
  make_vlan(message, 100, ETH_P_8021Q);
  EXPECT_EQ(parse_link(message.get())->link.vlan->parent, 0U);
}

TEST(Rtnetlink, other_devices_are_no_vlan_even_if_they_have_a_link) {
  Message veth = ethernet(9);
  veth.number(IFLA_LINK, 5).begin(IFLA_LINKINFO).attribute(IFLA_INFO_KIND, "veth", 5).end();
  EXPECT_FALSE(parse_link(veth.get())->link.vlan);
  EXPECT_FALSE(parse_link(ethernet(9).get())->link.vlan);
}

rtmsg route_header(u8 family, u8 type) { return {.rtm_family = family, .rtm_type = type}; }

TEST(Rtnetlink, route_tells_the_source_that_the_machine_would_use) {
  Message ipv4(RTM_NEWROUTE, route_header(AF_INET, RTN_UNICAST));
  ipv4.number(RTA_OIF, 5).address(RTA_PREFSRC, "10.0.0.1");
  const auto route = parse_route(ipv4.get());
  EXPECT_EQ(route->kind, Route::Kind::unicast);
  EXPECT_EQ(route->source, model::parse_address("10.0.0.1"));
  Message ipv6(RTM_NEWROUTE, route_header(AF_INET6, RTN_UNICAST));
  ipv6.number(RTA_OIF, 5).address(RTA_PREFSRC, "2001:db8::1");
  EXPECT_EQ(parse_route(ipv6.get())->source, model::parse_address("2001:db8::1"));
  Message without(RTM_NEWROUTE, route_header(AF_INET, RTN_UNICAST));
  EXPECT_FALSE(parse_route(without.number(RTA_OIF, 5).get())->source);
}

TEST(Rtnetlink, route_to_an_own_address_is_local) {
  const Message message(RTM_NEWROUTE, route_header(AF_INET, RTN_LOCAL));
  EXPECT_EQ(parse_route(message.get())->kind, Route::Kind::local);
}

ifaddrmsg address_header(u8 family, u8 flags, u8 scope) {
  return {.ifa_family = family, .ifa_prefixlen = 24, .ifa_flags = flags, .ifa_scope = scope, .ifa_index = 5};
}

TEST(Rtnetlink, own_address_is_the_local_end) {
  Message message(RTM_NEWADDR, address_header(AF_INET, 0, RT_SCOPE_UNIVERSE));
  message.address(IFA_ADDRESS, "10.0.0.99").address(IFA_LOCAL, "10.0.0.1");
  const auto event = parse_own_address(message.get());
  ASSERT_TRUE(event);
  EXPECT_FALSE(event->removed);
  EXPECT_EQ(event->own, (OwnAddress{.interface = 5, .address = *model::parse_address("10.0.0.1"), .is_global = true}));
}

TEST(Rtnetlink, address_that_nothing_may_be_sent_from_is_not_global) {
  const auto is_global = [](u8 flags, u8 scope) {
    Message message(RTM_NEWADDR, address_header(AF_INET6, flags, scope));
    return parse_own_address(message.address(IFA_ADDRESS, "2001:db8::1").get())->own.is_global;
  };
  EXPECT_TRUE(is_global(0, RT_SCOPE_UNIVERSE));
  EXPECT_FALSE(is_global(IFA_F_TENTATIVE, RT_SCOPE_UNIVERSE));
  EXPECT_FALSE(is_global(IFA_F_DADFAILED, RT_SCOPE_UNIVERSE));
  EXPECT_FALSE(is_global(0, RT_SCOPE_LINK));
  EXPECT_FALSE(is_global(0, RT_SCOPE_HOST));
}

TEST(Rtnetlink, removed_address_says_so_and_other_messages_are_no_address) {
  Message message(RTM_DELADDR, address_header(AF_INET, 0, RT_SCOPE_UNIVERSE));
  EXPECT_TRUE(parse_own_address(message.address(IFA_LOCAL, "10.0.0.1").get())->removed);
  EXPECT_FALSE(parse_own_address(ethernet(5).get()));
}

}  // namespace
}  // namespace penstock::control
