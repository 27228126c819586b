// FTP through masquerading, with a real server (vsftpd) and client (curl): data connections are found out from what the control connection
// says (RFC 959 PORT and PASV, RFC 2428 EPRT and EPSV), in which the director puts its own address and port.
#include "tests/serving/method_test.hpp"

namespace penstock::serving {
namespace {

constexpr ServicePort control{"-t", 21, 21};
constexpr const char* size = "3000000";

constexpr const char* vsftpd_conf = R"(listen=NO
listen_ipv6=YES
background=YES
anonymous_enable=YES
no_anon_password=YES
local_enable=NO
write_enable=YES
anon_upload_enable=YES
anon_umask=022
anon_root=/srv/ftp
connect_from_port_20=YES
secure_chroot_dir=/run/vsftpd/empty
isolate=NO
isolate_network=NO
seccomp_sandbox=NO
)";

class Ftp : public MethodTest {
 protected:
  void SetUp() override {
    MethodTest::SetUp();
    if (is_over()) return;
    if (cluster_.on("rs1", "command -v vsftpd").exit_status != 0) {
      GTEST_SKIP() << "SKIPPED: vsftpd is not installed: ./run setup";
    }
    add_service(control);
    for (const char* server : {"rs1", "rs2"}) {
      must(server,
           std::string("mkdir -p /run/vsftpd/empty /srv/ftp/in && chown ftp /srv/ftp/in && chmod 555 /srv/ftp && "
                       "exchange content ") +
               size + " > /srv/ftp/file && cat > /run/vsftpd.conf <<'END'\n" + vsftpd_conf +
               "END\nvsftpd /run/vsftpd.conf");
    }
    must("client", std::string("exchange content ") + size + " > /tmp/file");
  }

  // Each of both servers once, by turns. curl takes the address in a PASV answer only if it is told to.
  void transfer(const std::string& options) const {
    const std::string curl = "curl -sS -g --max-time 20 --no-ftp-skip-pasv-ip " + options + " ";
    const std::string url = "ftp://" + endpoint(at_.vip, 21);
    for (int i = 0; i < 2; ++i) {
      must("client", "rm -f /tmp/got; " + curl + "-o /tmp/got " + url + "/file && cmp /tmp/file /tmp/got");
    }
    for (int i = 0; i < 2; ++i) must("client", curl + "-T /tmp/file " + url + "/in/up");
    const std::string expected = must("client", "sha256sum < /tmp/file");
    for (const char* server : {"rs1", "rs2"}) EXPECT_EQ(must(server, "sha256sum < /srv/ftp/in/up"), expected) << server;
  }
};

class FtpOfIpv4 : public Ftp {};

TEST_P(Ftp, passive_by_epsv) { transfer(""); }
TEST_P(Ftp, active_by_eprt) { transfer("-P -"); }
TEST_P(FtpOfIpv4, passive_by_pasv) { transfer("--disable-epsv"); }
TEST_P(FtpOfIpv4, active_by_port) { transfer("-P - --disable-eprt"); }

std::vector<Case> of_ipv4(std::vector<Case> cases) {
  std::erase_if(cases, [](const Case& c) { return c.family != Family::ipv4; });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, Ftp, testing::ValuesIn(cases_of("nat")), name_of);
INSTANTIATE_TEST_SUITE_P(All, FtpOfIpv4, testing::ValuesIn(of_ipv4(cases_of("nat"))), name_of);

}  // namespace
}  // namespace penstock::serving
