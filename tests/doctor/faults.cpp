#include "tests/doctor/faults.hpp"

namespace penstock::doctor {
namespace {

const std::string vip = "172.16.0.40";
const std::string vip6 = "fd00:ac10::40";
const std::string service = "-t 172.16.0.40:80";

// Counters are not watched: nothing that needs it is in these.
const std::string quick = "--seconds 0";

// The daemon dies, and a new one starts with these options.
std::string restart(const std::string& options) {
  return "kill -9 $(pidof penstockd); while pidof penstockd >/dev/null; do sleep 0.02; done; "
         "setsid penstockd " +
         options +
         " >/run/penstockd.log 2>&1 & for i in $(seq 500); do penstock status >/dev/null 2>&1 && exit 0; sleep 0.02; "
         "done; "
         "cat /run/penstockd.log; exit 1";
}

// An interface that leads nowhere.
const std::string make_spare =
    "ip link add spare0 type veth peer name spare1; ip link set spare1 up; ip link set spare0 up; "
    "ip address add 198.18.0.1/24 dev spare0";
const std::string remove_spare = "ip link del spare0";

std::vector<Line> serve(const std::string& ipv4, const std::string& ipv6, const std::string& network4,
                        const std::string& network6, const std::string& options, const std::string& port) {
  std::string script;
  for (const bool is_ipv4 : {true, false}) {
    const std::string at = "-t " + (is_ipv4 ? ipv4 : "[" + ipv6 + "]") + ":80";
    script += "ipvsadm -A " + at + " -s rr && ";
    for (const char* host : {"32", "33"})
      script += "ipvsadm -a " + at + " -r " + (is_ipv4 ? network4 + host : "[" + network6 + host + "]") + ":" + port +
                " " + options + " && ";
  }
  return {{"director", script + "true"}};
}

std::vector<PlantedFault> faults_of_daemon() {
  return {
      {"killed daemon",
       "director",
       quick,
       {{"director", "kill -9 $(pidof penstockd)"}},
       "penstockd-not-running",
       "penstockd does not run",
       {{"director", restart("--mode native")}}},
      {"pins removed",
       "director",
       quick,
       {{"director", "rm -r /sys/fs/bpf/penstock"}},
       "pins-missing",
       "/sys/fs/bpf/penstock/",
       {{"director", restart("--mode native")}}},
      {"attached elsewhere",
       "director",
       quick,
       {{"director", make_spare}, {"director", restart("--mode tc --interface spare0")}},
       "not-attached",
       "not attached to eth0",
       {{"director", remove_spare}, {"director", restart("--mode native")}}},
      {"filter removed",
       "director",
       quick,
       {{"director", restart("--mode tc")}, {"director", "tc qdisc del dev eth0 clsact"}},
       "packet-path-gone",
       "taken off eth0",
       {{"director", restart("--mode native")}}},
      {"generic XDP",
       "director",
       quick,
       {{"director", restart("--mode generic")}},
       "generic-xdp",
       "on eth0",
       {{"director", restart("--mode native")}}},
      {"partial checksums",
       "director",
       quick,
       {{"switch", "ethtool -K director-eth0 tx on"}},
       "checksums-owed",
       "Frames reach eth0",
       {{"switch", "ethtool -K director-eth0 tx off"}}},
      {"cable pulled",
       "director",
       quick,
       {{"switch", "ip link set dev director-eth0 down"}},
       "interface-down",
       "eth0 has no carrier",
       {{"switch", "ip link set dev director-eth0 up"}}},
  };
}

std::vector<PlantedFault> faults_of_services() {
  return {
      {"service alone",
       "director",
       quick,
       {{"director", "ipvsadm -A -t 172.16.0.40:81 -s rr"}},
       "service-without-servers",
       "tcp 172.16.0.40:81",
       {{"director", "ipvsadm -D -t 172.16.0.40:81"}}},
      {"all quiesced",
       "director",
       quick,
       {{"director", "for r in 32 33; do ipvsadm -e " + service + " -r 172.16.0.$r -g -w 0; done"}},
       "service-quiesced",
       "tcp 172.16.0.40:80",
       {{"director", "for r in 32 33; do ipvsadm -e " + service + " -r 172.16.0.$r -g -w 1; done"}}},
      {"port mapping by direct",
       "director",
       quick,
       {{"director", "penstock mark add 5 --protocol tcp --destination 172.16.0.40 --ports 81"},
        {"director", "ipvsadm -A -f 5 -s rr && ipvsadm -a -f 5 -r 172.16.0.32:8080 -g"}},
       "port-mapping-ignored",
       "172.16.0.32:8080",
       {{"director", "ipvsadm -D -f 5"},
        {"director", "penstock mark del 5 --protocol tcp --destination 172.16.0.40 --ports 81"}}},
      {"mark of netfilter",
       "director",
       quick,
       {{"director", "ipvsadm -A -f 7 -s rr && ipvsadm -a -f 7 -r 172.16.0.32 -g"}},
       "mark-without-rule",
       "mark 7",
       {{"director", "penstock mark add 7 --protocol tcp --destination 172.16.0.40 --ports 443"}}},
      {"mark's rule removed",
       "director",
       quick,
       {{"director", "penstock mark del 7 --protocol tcp --destination 172.16.0.40 --ports 443"}},
       "mark-without-rule",
       "mark 7",
       {{"director", "ipvsadm -D -f 7"}}},
      {"server that is not there",
       "director",
       quick,
       {{"director", "ipvsadm -a " + service + " -r 172.16.0.99 -g"}},
       "next-hop-unresolved",
       "real server 172.16.0.99",
       {{"director", "ipvsadm -d " + service + " -r 172.16.0.99"}}},
      {"server without a route",
       "director",
       quick,
       {{"director", "ipvsadm -a " + service + " -r 10.99.0.5 -i"}},
       "server-without-route",
       "10.99.0.5",
       {{"director", "ipvsadm -d " + service + " -r 10.99.0.5"}}},
      {"nginx stopped",
       "director",
       quick,
       {{"rs1", "nginx -s stop"}},
       "server-refuses",
       "172.16.0.32:80",
       {{"rs1", "nginx"}}},
      {"no way back",
       "director",
       quick,
       {{"rs1", "ip route add blackhole 172.16.0.31"}},
       "server-silent",
       "172.16.0.32:80",
       {{"rs1", "ip route del blackhole 172.16.0.31"}}},
      {"nat in one network",
       "director",
       quick,
       {{"director", "ipvsadm -e " + service + " -r 172.16.0.32 -m"}},
       "nat-in-one-network",
       "nat server 172.16.0.32",
       {{"director", "ipvsadm -e " + service + " -r 172.16.0.32 -g"}}},
      {"nat to loopback",
       "director",
       quick,
       {{"director", "ipvsadm -a " + service + " -r 127.0.0.1 -m"}},
       "loopback-server",
       "127.0.0.1:80",
       {{"director", "ipvsadm -d " + service + " -r 127.0.0.1"}}},
      {"dead server's clients",
       "director",
       "--seconds 2",
       {{"director", "ipvsadm -A -t 172.16.0.40:82 -s rr && ipvsadm -a -t 172.16.0.40:82 -r 172.16.0.99 -g"},
        {"client",
         "(while :; do curl -s -m 0.2 172.16.0.40:82; sleep 0.05; done) >/dev/null 2>&1 & echo $! >/run/load"}},
       "packets-lost",
       "next_hop_unresolved",
       {{"client", "kill $(cat /run/load)"}, {"director", "ipvsadm -D -t 172.16.0.40:82"}}},
  };
}

std::vector<PlantedFault> faults_of_virtual_address() {
  return {
      {"director without VIP",
       "director",
       quick,
       {{"director", "ip address del 172.16.0.40/32 dev eth0"}},
       "vip-not-on-director",
       vip,
       {{"director", "ip address add 172.16.0.40/32 dev eth0"}}},
      {"director without IPv6 VIP",
       "director",
       quick,
       {{"director", "ip address del fd00:ac10::40/128 dev eth0"}},
       "vip-not-on-director",
       vip6,
       {{"director", "ip address add fd00:ac10::40/128 dev eth0 nodad"}}},
      {"director silent",
       "director",
       quick,
       {{"director", "sysctl -w net.ipv4.conf.all.arp_ignore=2"}},
       "director-arp-silent",
       vip,
       {{"director", "sysctl -w net.ipv4.conf.all.arp_ignore=0"}}},
      {"director's VIP on lo, silent",
       "director",
       quick,
       {{"director",
         "ip address del 172.16.0.40/32 dev eth0; ip address add 172.16.0.40/32 dev lo; "
         "sysctl -w net.ipv4.conf.all.arp_ignore=1"}},
       "director-arp-silent",
       vip,
       {{"director", "sysctl -w net.ipv4.conf.all.arp_ignore=0"}}},
      {"loud real server",
       "director",
       quick,
       {{"director", "ip address del 172.16.0.40/32 dev lo; ip address add 172.16.0.40/32 dev eth0"},
        {"rs1", "sysctl -w net.ipv4.conf.all.arp_ignore=0"}},
       "vip-answered-twice",
       "172.16.0.32",
       {{"rs1", "sysctl -w net.ipv4.conf.all.arp_ignore=1"}}},
      {"loud real server of IPv6",
       "director",
       quick,
       {{"rs1", "ip address add fd00:ac10::40/128 dev eth0 nodad"}},
       "vip-answered-twice",
       vip6,
       {{"rs1", "ip address del fd00:ac10::40/128 dev eth0"}}},
      {"duplicate VIP",
       "director",
       quick,
       {{"rs1", "ip address add fd00:ac10::40/128 dev eth0 nodad"},
        {"director",
         "sysctl -w net.ipv6.conf.eth0.accept_dad=1; ip address del fd00:ac10::40/128 dev eth0; "
         "ip address add fd00:ac10::40/128 dev eth0; "
         "for i in $(seq 200); do ip address show dadfailed | grep -q fd00:ac10::40 && exit 0; sleep 0.02; done; exit "
         "1"}},
       "vip-duplicate",
       vip6,
       {{"rs1", "ip address del fd00:ac10::40/128 dev eth0"},
        {"director", "ip address del fd00:ac10::40/128 dev eth0; ip address add fd00:ac10::40/128 dev eth0 nodad"}}},
      {"local address that nobody has",
       "director",
       quick,
       {{"director", "penstock local add 172.16.0.77"}},
       "local-address-unanswered",
       "172.16.0.77",
       {{"director", "ip address add 172.16.0.77/32 dev eth0"}}},
      {"local address of another",
       "director",
       quick,
       {{"director", "penstock local add 172.16.0.10"}},
       "local-address-taken",
       "172.16.0.10",
       {{"director", "penstock local del 172.16.0.10"}}},
  };
}

std::vector<PlantedFault> faults_of_direct_server() {
  const std::string named = quick + " --vip 172.16.0.40 fd00:ac10::40";
  const std::string knows_director = quick + " --director 172.16.0.31 fd00:ac10::31";
  return {
      {"VIP missing",
       "rs1",
       named,
       {{"rs1", "ip address del 172.16.0.40/32 dev lo"}},
       "vip-missing",
       vip,
       {{"rs1", "ip address add 172.16.0.40/32 dev lo"}}},
      {"VIP on the link",
       "rs1",
       named,
       {{"rs1", "ip address del 172.16.0.40/32 dev lo; ip address add 172.16.0.40/32 dev eth0"}},
       "vip-on-link",
       "172.16.0.40 is on eth0",
       {{"rs1", "ip address del 172.16.0.40/32 dev eth0; ip address add 172.16.0.40/32 dev lo"}}},
      {"IPv6 VIP on the link",
       "rs1",
       named,
       {{"rs1", "ip address del fd00:ac10::40/128 dev lo; ip address add fd00:ac10::40/128 dev eth0 nodad"}},
       "vip-on-link",
       "fd00:ac10::40 is on eth0",
       {{"rs1", "ip address del fd00:ac10::40/128 dev eth0; ip address add fd00:ac10::40/128 dev lo"}}},
      {"short prefix",
       "rs1",
       named,
       {{"rs1", "ip address del 172.16.0.40/32 dev lo; ip address add 172.16.0.40/16 dev lo"}},
       "vip-prefix-too-short",
       "172.16.0.40/16",
       {{"rs1", "ip address del 172.16.0.40/16 dev lo; ip address add 172.16.0.40/32 dev lo"}}},
      {"ARP is answered",
       "rs1",
       quick,
       {{"rs1", "sysctl -w net.ipv4.conf.all.arp_ignore=0"}},
       "arp-not-silent",
       "eth0",
       {{"rs1", "sysctl -w net.ipv4.conf.all.arp_ignore=1"}}},
      {"VIP is announced",
       "rs1",
       quick,
       {{"rs1", "sysctl -w net.ipv4.conf.all.arp_announce=0"}},
       "arp-announces-vip",
       "eth0",
       {{"rs1", "sysctl -w net.ipv4.conf.all.arp_announce=2"}}},
      {"nobody has the VIP",
       "rs1",
       quick,
       {{"director", "ip address del 172.16.0.40/32 dev eth0"}},
       "vip-unanswered",
       vip,
       {{"director", "ip address add 172.16.0.40/32 dev eth0"}}},
      {"nobody has the IPv6 VIP",
       "rs1",
       quick,
       {{"director", "ip address del fd00:ac10::40/128 dev eth0"}},
       "vip-unanswered",
       vip6,
       {{"director", "ip address add fd00:ac10::40/128 dev eth0 nodad"}}},
      {"the other real server is loud",
       "rs1",
       quick,
       {{"rs2", "sysctl -w net.ipv4.conf.all.arp_ignore=0"}},
       "vip-answered-twice",
       vip,
       {{"rs2", "sysctl -w net.ipv4.conf.all.arp_ignore=1"}}},
      {"another host has the VIP",
       "rs1",
       knows_director,
       {{"director", "ip address del 172.16.0.40/32 dev eth0"}, {"client", "ip address add 172.16.0.40/32 dev eth0"}},
       "vip-not-at-director",
       "172.16.0.31",
       {{"client", "ip address del 172.16.0.40/32 dev eth0"}, {"director", "ip address add 172.16.0.40/32 dev eth0"}}},
      {"strict rp_filter",
       "rs1",
       quick,
       {{"rs1", make_spare + "; ip route add default via 198.18.0.2; sysctl -w net.ipv4.conf.eth0.rp_filter=1"}},
       "rp-filter-drops-requests",
       "on eth0",
       {{"rs1", "sysctl -w net.ipv4.conf.eth0.rp_filter=2"}}},
      {"firewall",
       "rs1",
       quick,
       {{"rs1",
         "nft add table inet lab; nft add chain inet lab input '{ type filter hook input priority 0; }'; "
         "nft add rule inet lab input ip daddr 172.16.0.40 tcp dport 80 drop"}},
       "firewall-drops-vip",
       "inet lab input",
       {{"rs1", "nft delete table inet lab"}}},
  };
}

Ward direct() {
  Ward ward{.name = "direct",
            .topology = "lab/topologies/direct",
            .prepare = serve(vip, vip6, "172.16.0.", "fd00:ac10::", "-g", "80"),
            .looks = {{"director", ""}, {"rs1", ""}, {"rs2", "--director 172.16.0.31 fd00:ac10::31"}},
            .faults = {}};
  for (const auto& some :
       {faults_of_daemon(), faults_of_services(), faults_of_virtual_address(), faults_of_direct_server()})
    ward.faults.insert(ward.faults.end(), some.begin(), some.end());
  ward.faults.push_back({"firewall on the director",
                         "director",
                         quick,
                         {{"director",
                           "nft add table ip lab; nft add chain ip lab input '{ type filter hook input priority 0; }'; "
                           "nft add rule ip lab input ip daddr 172.16.0.40 tcp dport 80 drop"}},
                         "firewall-bypassed",
                         "ip lab input",
                         {{"director", "nft delete table ip lab"}}});
  return ward;
}

Ward nat() {
  const std::string server = "--method nat --director 10.0.0.1 fd00:10::1 " + quick;
  return {.name = "nat",
          .topology = "lab/topologies/nat",
          .prepare = serve("192.0.2.40", "2001:db8:2::40", "10.0.0.", "fd00:10::", "-m", "8080"),
          .looks = {{"director", ""}, {"rs1", server}, {"rs2", server}},
          .faults = {
              {"another gateway",
               "rs1",
               server,
               {{"rs1", "ip route replace default via 10.0.0.33"}},
               "gateway-not-director",
               "by 10.0.0.33",
               {{"rs1", "ip route replace default via 10.0.0.1"}}},
              {"another gateway of IPv6",
               "rs1",
               server,
               {{"rs1", "ip -6 route replace default via fd00:10::33"}},
               "gateway-not-director",
               "by fd00:10::33",
               {{"rs1", "ip -6 route replace default via fd00:10::1"}}},
              {"no gateway",
               "rs1",
               server,
               {{"rs1", "ip route del default"}},
               "no-way-to-clients",
               "203.0.113.1",
               {{"rs1", "ip route add default via 10.0.0.1"}}},
              {"client in the servers' network",
               "rs1",
               server + " --client 10.0.0.77",
               {},
               "gateway-not-director",
               "directly on eth0",
               {}},
              {"servers' own connections",
               "director",
               "--seconds 2",
               {{"rs1",
                 "(while :; do curl -s -m 0.2 192.0.2.10:99; curl -s -m 0.2 \"http://[2001:db8:2::10]:99\"; done) "
                 ">/dev/null 2>&1 & echo $! >/run/load"}},
               "ip-forward-off",
               "IPv4 packets",
               {{"director", "sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"}}},
              {"strict rp_filter",
               "director",
               quick,
               {{"rs1", "kill $(cat /run/load)"},
                {"director", "ip route add default via 10.0.0.33; sysctl -w net.ipv4.conf.eth0.rp_filter=1"}},
               "rp-filter-on-director",
               "on eth0",
               {{"director", "sysctl -w net.ipv4.conf.eth0.rp_filter=2"}}},
          }};
}

Ward tunnel() {
  const std::string route = "ip route replace default via 10.0.0.1 dev eth0";
  const std::string start = "penstock realserver start --method tunnel --mode native --vip 192.0.2.40 2001:db8:2::40";
  const std::string unclamp = "tc filter del dev eth0 egress";
  auto prepare = serve("192.0.2.40", "2001:db8:2::40", "10.0.0.", "fd00:10::", "-i", "80");
  const std::string direct_there = "ipvsadm -e -t 192.0.2.40:80 -r 10.0.0.32 ";
  return {.name = "tunnel",
          .topology = "lab/topologies/tunnel",
          .prepare = prepare,
          .looks = {{"director", ""}, {"rs1", ""}, {"rs2", "--director 192.0.2.31"}},
          .faults = {
              {"direct through a router",
               "director",
               quick,
               {{"director", direct_there + "-g"}},
               "server-behind-router",
               "10.0.0.32",
               {{"director", direct_there + "-i"}}},
              {"narrow way",
               "director",
               quick,
               {{"director", "ip -6 route change default via 2001:db8:2::1 dev eth0 mtu 1300"}},
               "tunnel-too-narrow",
               "carries 1260 bytes",
               {{"director", "ip -6 route change default via 2001:db8:2::1 dev eth0"}}},
              {"MSS not clamped",
               "rs1",
               quick,
               {{"rs1", unclamp}},
               "tunnel-mss-too-big",
               "192.0.2.40 announces segments of 1460 bytes",
               {{"rs1", start}}},
              {"MSS not clamped, IPv6",
               "rs1",
               quick,
               {{"rs1", unclamp}},
               "tunnel-mss-too-big",
               "2001:db8:2::40 announces segments of 1440 bytes",
               {{"rs1", start}}},
              {"no decapsulation",
               "rs1",
               quick + " --method tunnel",
               {{"rs1", "penstock realserver start --method direct --vip 192.0.2.40 2001:db8:2::40"}},
               "decapsulation-missing",
               "Nothing here takes the outer headers off",
               {{"rs1", start}}},
              {"no gateway",
               "rs1",
               quick,
               {{"rs1", "ip route del default"}},
               "no-way-to-clients",
               "203.0.113.1",
               {{"rs1", route}}},
              {"requests too big",
               "director",
               "--seconds 2",
               {{"director", "ipvsadm -A -u 192.0.2.40:9000 -s rr && ipvsadm -a -u 192.0.2.40:9000 -r 10.0.0.32 -i"},
                {"client", "setsid datagrams 192.0.2.40 9000 1472 20000 20999 >/dev/null 2>&1 & echo $! >/run/load"}},
               "tunnel-too-big",
               "too big for their tunnel",
               {{"client", "kill $(cat /run/load)"}}},
          }};
}

// Its daemon runs by TC, and nothing on the other end would take what native XDP sends.
Ward veth() {
  const std::string flood = "setsid datagrams 172.16.0.40 9000 10 20000 29999 >/dev/null 2>&1 & echo $! >/run/load";
  const std::string anew =
      "kill -9 $(pidof penstockd); while pidof penstockd >/dev/null; do sleep 0.02; done; penstockd --unload; ";
  return {
      .name = "veth",
      .topology = "tests/doctor/topologies/veth",
      .prepare = {{"director", "ipvsadm -A " + service + " -s rr && ipvsadm -a " + service + " -r 172.16.0.32 -g"}},
      .looks = {{"director", ""}, {"rs1", ""}},
      .faults = {
          {"no XDP program at the other end",
           "director",
           "--seconds 2",
           {{"director", restart("--mode native")},
            {"client", "(while :; do curl -s -m 0.2 172.16.0.40; done) >/dev/null 2>&1 & echo $! >/run/load"}},
           "xdp-frames-lost",
           "eth0 loses frames",
           {{"director", restart("--mode tc")}}},
          {"small table",
           "director",
           "--seconds 2",
           {{"client", "kill $(cat /run/load)"},
            {"director", anew + restart("--mode tc --connections-bytes 65536")},
            {"director", "ipvsadm -A -u 172.16.0.40:9000 -s rr && ipvsadm -a -u 172.16.0.40:9000 -r 172.16.0.32 -g"},
            {"client", flood}},
           "connection-table-full",
           "is full",
           {{"director", anew + restart("--mode tc")}}},
      }};
}

Ward fullnat() {
  auto prepare = serve("192.0.2.40", "2001:db8:2::40", "10.0.0.", "fd00:10::", "--fullnat", "8080");
  prepare.insert(prepare.begin(), {"director", "penstock local add 10.9.0.1 && penstock local add fd00:9::1"});
  const std::string server = "--method fullnat";
  return {.name = "fullnat",
          .topology = "lab/topologies/fullnat",
          .prepare = prepare,
          .looks = {{"director", ""}, {"rs1", server}, {"rs2", server}},
          .faults = {
              {"router gone",
               "director",
               quick,
               {{"router", "ip address del 192.0.2.1/24 dev eth0; ip link set eth1 down"}},
               "next-hop-unresolved",
               "192.0.2.1, the router to real server 10.0.0.32",
               {{"router", "ip address add 192.0.2.1/24 dev eth0; ip link set eth1 up"}}},
              {"local address in the director's network",
               "director",
               quick,
               {{"director", "penstock local add 192.0.2.77"}},
               "local-address-unanswered",
               "192.0.2.77",
               {{"director", "penstock local del 192.0.2.77"}}},
              {"no way to the local addresses",
               "rs1",
               server + " --client 10.9.0.1 " + quick + " --vip 192.0.2.40",
               {{"rs1", "ip route del 10.9.0.0/24"}},
               "no-way-to-clients",
               "10.9.0.1",
               {{"rs1", "ip route add 10.9.0.0/24 via 10.0.0.1"}}},
              {"more connections than ports",
               "director",
               "--seconds 2",
               {{"director",
                 "ipvsadm -A -u 192.0.2.40:9000 -s rr && "
                 "ipvsadm -a -u 192.0.2.40:9000 -r 10.0.0.32:9001 --fullnat"},
                {"client", "setsid datagrams 192.0.2.40 9000 10 1 65535 >/dev/null 2>&1 & sleep 5"}},
               "local-ports-exhausted",
               "no free port",
               {{"director", "penstock local add 10.9.0.2"}}},
          }};
}

}  // namespace

const std::vector<Ward>& wards() {
  static const std::vector<Ward> all{direct(), nat(), tunnel(), fullnat(), veth()};
  return all;
}

}  // namespace penstock::doctor
