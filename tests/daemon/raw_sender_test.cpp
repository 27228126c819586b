// Frames that the daemon sends by itself, heard on the wire.
#include "control/raw_sender.hpp"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "tests/daemon/world.hpp"
#include "tests/packets/frame.hpp"

namespace penstock::tests {
namespace {

using packets::Bytes;

// Hears what an interface sends.
class Tap {
 public:
  explicit Tap(u32 interface) : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(ETH_P_ALL);
    at.sll_ifindex = static_cast<int>(interface);
    EXPECT_EQ(bind(socket_.fd(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  }

  [[nodiscard]] bool hears(const Bytes& frame) const {
    return comes_true([&] {
      pollfd waiting{.fd = socket_.fd(), .events = POLLIN, .revents = 0};
      if (poll(&waiting, 1, 10) <= 0) return false;
      Bytes heard(65536);
      const ssize_t length = recv(socket_.fd(), heard.data(), heard.size(), 0);
      heard.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
      return heard == frame;
    });
  }

 private:
  File socket_;
};

class RawSenderTest : public World {
 protected:
  void SetUp() override {
    World::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    auto opened = control::RawSender::open(
        {[](const std::string&) {}, [this](const std::string& line) { words_ += line + "\n"; }});
    ASSERT_TRUE(opened) << opened.error().message;
    sender_ = std::make_unique<control::RawSender>(std::move(*opened));
    eth0_ = if_nametoindex("eth0");
  }

  u32 eth0_ = 0;
  std::string words_;
  std::unique_ptr<control::RawSender> sender_;
};

packets::Frame datagram(std::size_t payload) {
  return packets::eth({2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2})
      .ipv4("10.9.0.1", "10.9.0.2")
      .udp(2000, 53)
      .payload(payload);
}

TEST_F(RawSenderTest, frame_leaves_as_it_is) {
  const Tap tap(eth0_);
  const Bytes frame = datagram(1472);
  sender_->send(eth0_, frame);
  EXPECT_TRUE(tap.hears(frame));
  EXPECT_EQ(words_, "");
}

TEST_F(RawSenderTest, tag_does_not_count_to_the_mtu) {
  const Tap tap(eth0_);
  const Bytes frame = packets::eth({2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2})
                          .vlan(5)
                          .ipv4("10.9.0.1", "10.9.0.2")
                          .udp(2000, 53)
                          .payload(1472);
  sender_->send(eth0_, frame);
  EXPECT_TRUE(tap.hears(frame));
}

TEST_F(RawSenderTest, what_can_not_be_sent_is_told_once) {
  for (int i = 0; i < 3; ++i) sender_->send(eth0_, datagram(1473).bytes());
  EXPECT_NE(words_.find("Message too long"), std::string::npos) << words_;
  EXPECT_EQ(std::ranges::count(words_, '\n'), 1);
  sender_->send(9999, datagram(10).bytes());
  EXPECT_EQ(std::ranges::count(words_, '\n'), 2) << words_;
  sender_->send(eth0_, Bytes(13));
  EXPECT_EQ(std::ranges::count(words_, '\n'), 2) << "too short for a header";
}

}  // namespace
}  // namespace penstock::tests
