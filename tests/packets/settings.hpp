// IPVS's settings as a kernel has them at the start: timeouts, and the transition tables of TCP and SCTP, written out once more
// from IPVS's documentation so that neither the packet path nor the control plane judges itself.
#pragma once

#include <array>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "datapath/abi/config.hpp"

namespace penstock::packets {

// Columns are states by their numbers, a row is the next state after an event; "." leaves it as it is.
inline constexpr const char* tcp_state_names = "NO ES SS SR FW TW CL CW LA LI SA";
using TcpTableText = std::array<std::array<const char*, 5>, 3>;  // input, output, input-only · SYN FIN ACK RST none

inline constexpr const char* tcp_closes = "CL CL CL CL CL CL CL CL CL CL CL";
inline constexpr TcpTableText tcp_normal = {{
    {"SR . ES . SR SR SR SR SR SR SR", "CL CW . TW TW . . . . . TW", "ES . . ES . . . . CL . ES",
     "CL CL CL . CL CL . CL . . SR", tcp_closes},
    {"SS . . . SS SS SS SS SS . SR", "TW FW . TW . . . TW . . TW", "ES . . ES . . . . . ES ES",
     "CL CL . CL CL . . CL CL CL CL", tcp_closes},
    {"SR . ES . SR SR SR SR SR SR SR", "CL FW . TW . . . . . . TW", "ES . . ES . . . . CL . ES",
     "CL CL CL . CL CL . CL . . CL", tcp_closes},
}};

// net.ipv4.vs.secure_tcp
inline constexpr TcpTableText tcp_secure = {{
    {"SR . ES . SR SR SR SR SR SR .", "CL CW . TW TW . . . . . .", "ES . . . . . . . CL . .",
     "CL CL CL . CL CL . CL . . CL", tcp_closes},
    {"SS . . SA SS SS SS SS SS . .", "TW FW . TW . . . TW . . TW", "ES . . ES . . . . . ES ES",
     "CL CL . CL CL . . CL CL CL CL", tcp_closes},
    {"SA . ES . SA SA SA SA SA SA .", "CL FW . TW . . . . . . TW", "ES . . ES . . . . CL . ES",
     "CL CL CL . CL CL . CL . . CL", tcp_closes},
}};

inline constexpr const char* sctp_state_names = "NO I1 IN CS CR CW CO CE ES SS SR SA RJ CL";
// DATA INIT INIT_ACK COOKIE_ECHO COOKIE_ACK SHUTDOWN SHUT_ACK SHUT_COMPL ERROR ABORT
using SctpTableText = std::array<std::array<const char*, 10>, 3>;

inline constexpr SctpTableText sctp_normal = {{
    {"ES . . . . . . . . . . . . .", "I1 IN . . . . . . . . . . IN IN", "CW CW CW . . CO . . . . . . . .",
     "CR IN . CR . . . . . . . . . .", "ES . . . . . . ES . . . . . .", "SR . . . . . . . SR . . . . .",
     "CL IN . . . . . . . CL . CL . .", "CL CL CL . . . . . . . . CL . .", "CL . . . . . . CL . . . . . .",
     "CL CL CL CL CL RJ CL CL CL CL CL CL CL ."},
    {"ES . . . . . . . . . . . . .", "CW CW CW CW CW . CW CW . CW CW CW CW CW", "CS CS CS . . . . . . . . . . .",
     "CE CE CE CE CE CE CE . . . . . . .", "ES ES ES ES ES ES ES ES . . . . . .",
     "SS SS SS SS SS SS SS SS SS . . . . .", "SA SA SA SA SA . . . . SA SA . . .", "CL . . . . . . . . . . . . .",
     "CL CL CL CL CL . . . . . . . . .", "CL RJ CL CL CL CL CL CL CL CL CL CL CL ."},
    {"ES . . . . ES . . . . . . . .", "I1 IN . IN IN IN . . . . . . IN IN", "CE CE CE CE CE CE . . . . . . . .",
     "ES ES ES ES ES ES . . . . . . . .", "ES . . ES ES . ES ES . . . . . .", "SR . . . . . . . SR . . . . .",
     "CL IN . . . . . . CL CL . CL . .", "CL CL CL CL CL . . . . . CL CL . .", "CL . . . . . . . . . . . . .",
     "CL CL CL CL CL RJ CL CL CL CL CL CL CL ."},
}};

[[nodiscard]] inline std::vector<std::string> words_of(const char* line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

// The next state for each state, four bits each.
[[nodiscard]] inline u64 packed_row(const char* names, const char* row) {
  const auto states = words_of(names);
  const auto nexts = words_of(row);
  if (states.size() != nexts.size()) throw std::invalid_argument(row);
  u64 packed = 0;
  for (u64 state = 0; state < states.size(); ++state) {
    u64 next = state;
    if (nexts[state] != ".") {
      next = 0;
      while (next < states.size() && states[next] != nexts[state]) ++next;
      if (next == states.size()) throw std::invalid_argument(nexts[state]);
    }
    packed |= next << (state * 4);
  }
  return packed;
}

inline void write_tcp_table(Settings& settings, const TcpTableText& table) {
  for (std::size_t direction = 0; direction < table.size(); ++direction)
    for (std::size_t event = 0; event < table[direction].size(); ++event) {
      // The order of TcpEvent, RST fourth.
      machine_of(settings, Machine::tcp).next[direction][event] = packed_row(tcp_state_names, table[direction][event]);
    }
}

inline void write_sctp_table(Settings& settings) {
  for (std::size_t direction = 0; direction < sctp_normal.size(); ++direction)
    for (std::size_t event = 0; event < sctp_normal[direction].size(); ++event)
      machine_of(settings, Machine::sctp).next[direction][event] =
          packed_row(sctp_state_names, sctp_normal[direction][event]);
}

// For a clock of so many ticks a second.
[[nodiscard]] inline Settings ipvs_settings(u32 ticks_per_second) {
  static constexpr u32 tcp_seconds[tcp_states] = {2, 900, 120, 60, 120, 120, 10, 60, 30, 120, 120};
  static constexpr u32 sctp_seconds[sctp_states] = {2, 4, 61, 61, 61, 61, 61, 61, 900, 61, 61, 61, 4, 61};
  Settings settings{};
  settings.ticks_per_second = ticks_per_second;
  machine_of(settings, Machine::udp).timeout[0] = 300 * ticks_per_second;
  for (u32 state = 0; state < tcp_states; ++state)
    machine_of(settings, Machine::tcp).timeout[state] = tcp_seconds[state] * ticks_per_second;
  for (u32 state = 0; state < sctp_states; ++state)
    machine_of(settings, Machine::sctp).timeout[state] = sctp_seconds[state] * ticks_per_second;
  write_tcp_table(settings, tcp_normal);
  write_sctp_table(settings);
  settings.conn_reuse_mode = 1;
  settings.schedule_icmp = 0;
  settings.pmtu_disc = 1;
  settings.lblc_expiration = 86400 * ticks_per_second;
  settings.lblcr_expiration = 86400 * ticks_per_second;
  settings.toa_kind = 254;
  return settings;
}

}  // namespace penstock::packets
