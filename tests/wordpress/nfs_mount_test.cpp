// nfsmount as a file system: two hosts mount what a third serves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/wordpress/world.hpp"

namespace penstock::wordpress {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::string_view topology = R"(
network lan 172.16.0.0/16
host nfs
  role server
  link lan 172.16.0.34
  setup mkdir /data && mount -t tmpfs tmpfs /data && mkdir -p /data/wordpress/open && chmod 777 /data/wordpress/open
  setup lab/wordpress/nfs-server.sh
host a
  role client
  link lan 172.16.0.51
host b
  role client
  link lan 172.16.0.52
)";

constexpr const char* kill_server =
    "kill -9 $(cat /run/ganesha.pid) && while kill -0 $(cat /run/ganesha.pid) 2>/dev/null; do sleep 0.01; done";
constexpr const char* start_server = "lab/wordpress/nfs-server.sh";

class NfsMount : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = reason_to_skip({"nfsmount", "ganesha.nfsd", "rpcbind", "showmount"});
        !reason.empty()) {
      GTEST_SKIP() << reason;
    }
    world_.emplace();
    const auto report = world_->up_text(topology);
    ASSERT_TRUE(report) << report.error().message;
    for (const char* host : {"a", "b"})
      said(host, "mkdir /wordpress && nfsmount 172.16.0.34:/data/wordpress /wordpress");
  }

  std::string said(std::string_view host, const std::string& line) { return world_->said(host, line); }
  lab::Outcome on(std::string_view host, const std::string& line) { return world_->on(host, line); }

  std::optional<World> world_;
};

TEST_F(NfsMount, shows_as_what_it_is_and_ends_with_umount) {
  EXPECT_THAT(said("a", "grep ' /wordpress ' /proc/mounts"),
              HasSubstr("172.16.0.34:/data/wordpress /wordpress fuse.nfs"));
  EXPECT_EQ(said("a", "stat -fc %c /wordpress"), said("nfs", "stat -fc %c /data"));
  said("a", "umount /wordpress; while pgrep -x nfsmount; do sleep 0.01; done");
  const auto refused = on("a", "nfsmount 172.16.0.34:/elsewhere /wordpress");
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_THAT(refused.output, HasSubstr("nfsmount: mounting 172.16.0.34:/elsewhere: the server refuses: "));
}

TEST_F(NfsMount, random_reads_writes_and_truncations_agree_with_a_model) {
  EXPECT_EQ(said("a", "random_io /wordpress/open/f 1 3000"), "3000 steps agree with the model");
  EXPECT_EQ(said("b", "md5sum </wordpress/open/f"), said("nfs", "md5sum </data/wordpress/open/f"));
}

TEST_F(NfsMount, large_file_arrives_whole) {
  said("a", "head -c 30M /dev/urandom >/wordpress/open/f");
  const std::string sum = said("nfs", "md5sum </data/wordpress/open/f");
  EXPECT_EQ(said("a", "md5sum </wordpress/open/f"), sum);
  EXPECT_EQ(said("b", "md5sum </wordpress/open/f"), sum);
}

TEST_F(NfsMount, names_links_and_attributes_are_the_servers) {
  // As www-data, whom no squashing touches. `refused`: what must fail.
  EXPECT_EQ(said("a", R"sh(setpriv --reuid 33 --regid 33 --clear-groups bash -ec '
              refused() { if "$@" 2>/dev/null; then echo "not refused: $*"; fi; }
              cd /wordpress/open
              mkdir d d/e; echo one >d/f; ln d/f d/hard; ln -s f d/soft; echo two >d/g
              mv d/g d/f2; mv d/f2 d/e/moved; mv d/e/moved d/f; chmod 640 d/f; touch -d @1234567890.5 d/f
              cat d/soft d/hard
              refused rmdir d; refused mkdir d/e; refused cat d/g; refused ln d/f d/hard; refused ls d/f/x
              set -C; refused eval "echo x >d/f"; set +C
              rmdir d/e; echo gone >d/gone; rm d/gone')sh"),
            "two\none");
  EXPECT_EQ(said("nfs",
                 "cd /data/wordpress/open/d; stat -c '%n %F %a %u %h %s' *; stat -c %.1Y f; readlink soft; cat f hard"),
            "f regular file 640 33 1 4\n"
            "hard regular file 644 33 1 4\n"
            "soft symbolic link 777 33 1 1\n"
            "1234567890.5\n"
            "f\n"
            "two\n"
            "one");
}

TEST_F(NfsMount, a_long_listing_is_complete) {
  said("nfs",
       "cd /data/wordpress && mkdir many && cd many && seq -f file-%06g-with-a-name-of-some-length 3000 | xargs touch");
  EXPECT_EQ(said("a", "ls /wordpress/many | md5sum"), said("nfs", "ls /data/wordpress/many | md5sum"));
  EXPECT_EQ(said("a", "ls /wordpress/many | wc -l"), "3000");
}

TEST_F(NfsMount, what_one_host_has_closed_the_other_opens) {
  for (int i = 0; i < 10; ++i) {
    // Longer, shorter, and of the same length; read within the three seconds in which attributes are believed.
    const std::string text = std::string(static_cast<std::size_t>(1 + (i / 2 % 3) * 5000), static_cast<char>('a' + i));
    said("a", "echo " + text + " >/wordpress/open/f");
    // dd, as it doesn't ask for attributes: those of a file that was read are fetched anew.
    EXPECT_EQ(said("b", "dd if=/wordpress/open/f bs=64K status=none"), text) << i;
  }
}

TEST_F(NfsMount, a_change_on_the_server_shows_within_the_time_attributes_are_believed) {
  said("nfs", "echo old >/data/wordpress/f; echo x >/data/wordpress/moved");
  EXPECT_EQ(said("a", "cat /wordpress/f /wordpress/moved"), "old\nx");
  said("nfs", "echo new >/data/wordpress/f.tmp; mv /data/wordpress/f.tmp /data/wordpress/f; rm /data/wordpress/moved");
  EXPECT_EQ(said("a",
                 "for i in $(seq 40); do grep -qs new /wordpress/f && ! test -e /wordpress/moved && echo seen && "
                 "break; sleep 0.1; done"),
            "seen");
}

TEST_F(NfsMount, a_server_that_is_killed_and_comes_back_is_waited_for) {
  said("a", "setsid sh -c 'random_io /wordpress/open/f 2 4000 >/tmp/said 2>&1; echo $? >>/tmp/said' >/dev/null 2>&1 &");
  for (int i = 0; i < 3; ++i) {
    said("nfs", kill_server);
    said("a", "while ss -tnH state established dst 172.16.0.34 | grep -q :2049; do sleep 0.01; done");
    EXPECT_EQ(said("a", "cat /tmp/said"), "");
    said("nfs", start_server);
  }
  EXPECT_EQ(said("a", "until grep -qx '[0-9]*' /tmp/said; do sleep 0.05; done; cat /tmp/said"),
            "4000 steps agree with the model\n0");
}

TEST_F(NfsMount, who_waits_for_a_server_that_is_gone_can_be_interrupted) {
  said("nfs", "echo there >/data/wordpress/f");
  said("nfs", kill_server);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(on("a", "timeout 0.5 cat /wordpress/f").exit_status, 124);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  said("nfs", start_server);
  EXPECT_EQ(said("a", "cat /wordpress/f"), "there");
}

TEST_F(NfsMount, root_is_squashed_and_others_are_not) {
  EXPECT_THAT(on("a", "touch /wordpress/x").output, HasSubstr("Permission denied"));
  EXPECT_THAT(on("a", "mkdir /wordpress/x").output, HasSubstr("Permission denied"));
  said("nfs", "echo secret >/data/wordpress/s; chmod 600 /data/wordpress/s; ls -l /data/wordpress");
  EXPECT_THAT(on("a", "cat /wordpress/s").output, HasSubstr("Permission denied"));
  said("a", "touch /wordpress/open/by-root; setpriv --reuid 33 --regid 33 --clear-groups touch /wordpress/open/by-33");
  EXPECT_EQ(said("nfs", "stat -c '%u:%g' /data/wordpress/open/by-root /data/wordpress/open/by-33"),
            "65534:65534\n33:33");

  said("nfs", std::string(kill_server) + "; lab/wordpress/nfs-server.sh all_squash");
  said("b", "setpriv --reuid 33 --regid 33 --clear-groups touch /wordpress/open/by-33-squashed");
  EXPECT_EQ(said("nfs", "stat -c %u /data/wordpress/open/by-33-squashed"), "65534");
}

}  // namespace
}  // namespace penstock::wordpress
