// The transition tables of TCP and SCTP that the packet path reads out of Settings (datapath/core/states.hpp): IPVS's, from
// ip_vs_proto_tcp.c (tcp_states, tcp_states_dos) and ip_vs_proto_sctp.c (sctp_states).
#pragma once

#include "datapath/abi/config.hpp"

namespace penstock::control {

// IPVS: net.ipv4.vs.secure_tcp. The strict table is for times of attack.
enum class TcpTable { normal, secure };

// Word by word into the live settings: a packet meets the former or the new table, row by row.
void write_tcp_transitions(Settings& settings, TcpTable table);
void write_sctp_transitions(Settings& settings);

}  // namespace penstock::control
