// The text of a topology file → Topology. One statement a line; a word that begins with # starts a comment.
//
//   network NAME PREFIX…        a bridge on the switch
//   ipv6 on|off                 off: disable_ipv6 everywhere (default on)
//   say TEXT                    what `up` says once all is there
//   host NAME                   what follows, up to the next host, belongs to it
//     role client|director|realserver|server|router
//     link NETWORK ADDRESS…     the first is eth0, the next eth1 …
//     vip ADDRESS…              director: on its link to the VIP's network; realserver: on lo, and silent to ARP
//     gateway ADDRESS…          default route, one for each family
//     page TEXT                 nginx serves TEXT
//     listen PORT…              … on these ports (default 80)
//     bulk SIZE                 … and a file /bulk of that size, K or M
//     sysctl KEY VALUE
//     setup SHELL LINE          run to its end before the daemons, in the project's folder
//     run PROGRAM ARGUMENT…     a daemon; a program that is not there yet is noted and left out
//     then SHELL LINE           run to its end, in the project's folder, once the daemons of all hosts answer; hosts take turns as the
//                               file has them
//     forward PORT TO [URL]     this machine's 127.0.0.1:PORT leads to TO, 192.0.2.40:80 or [2001:db8::40]:80, as seen from this host,
//                               while the lab is up; PORT 0: any free one. URL: what a browser is told (default http://127.0.0.1:PORT/)
//     xdp-port                  an XDP program at the switch's ports to this host; directors have it anyway
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "lab/topology.hpp"

namespace penstock::lab {

// An error says SOURCE:LINE:COLUMN, both counted from 1, columns in bytes.
[[nodiscard]] Result<Topology> parse_topology(std::string_view source, std::string_view text);

}  // namespace penstock::lab
