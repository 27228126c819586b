#include "control/transitions.hpp"

#include <array>
#include <string_view>

#include "datapath/core/atomic.hpp"

namespace penstock::control {
namespace {

// A row is an event; its columns are the states by their numbers, and hold the next state. A dot: no change.
constexpr u32 named_directions = 3;  // the settings have room for a fourth
constexpr u32 tcp_named_events = 4;  // the fifth, none of the flags, closes from every state
constexpr u32 sctp_named_events = 10;
using TcpRows = const char* const[named_directions][tcp_named_events];
using SctpRows = const char* const[named_directions][sctp_named_events];

constexpr std::array<std::string_view, tcp_states> tcp_names = {"NO", "ES", "SS", "SR", "FW", "TW",
                                                                "CL", "CW", "LA", "LI", "SA"};
constexpr std::array<std::string_view, sctp_states> sctp_names = {"NO", "I1", "IN", "CS", "CR", "CW", "CO",
                                                                  "CE", "ES", "SS", "SR", "SA", "RJ", "CL"};

// clang-format off
//     NO ES SS SR FW TW CL CW LA LI SA
constexpr TcpRows normal_rows = {
    // input
    {
        "SR  . ES  . SR SR SR SR SR SR SR",  // SYN
        "CL CW  . TW TW  .  .  .  .  . TW",  // FIN
        "ES  .  . ES  .  .  .  . CL  . ES",  // ACK
        "CL CL CL  . CL CL  . CL  .  . SR",  // RST
    },
    // output
    {
        "SS  .  .  . SS SS SS SS SS  . SR",  // SYN
        "TW FW  . TW  .  .  . TW  .  . TW",  // FIN
        "ES  .  . ES  .  .  .  .  . ES ES",  // ACK
        "CL CL  . CL CL  .  . CL CL CL CL",  // RST
    },
    // input_only
    {
        "SR  . ES  . SR SR SR SR SR SR SR",  // SYN
        "CL FW  . TW  .  .  .  .  .  . TW",  // FIN
        "ES  .  . ES  .  .  .  . CL  . ES",  // ACK
        "CL CL CL  . CL CL  . CL  .  . CL",  // RST
    },
};

//     NO ES SS SR FW TW CL CW LA LI SA
constexpr TcpRows secure_rows = {
    // input
    {
        "SR  . ES  . SR SR SR SR SR SR  .",  // SYN
        "CL CW  . TW TW  .  .  .  .  .  .",  // FIN
        "ES  .  .  .  .  .  .  . CL  .  .",  // ACK
        "CL CL CL  . CL CL  . CL  .  . CL",  // RST
    },
    // output
    {
        "SS  .  . SA SS SS SS SS SS  .  .",  // SYN
        "TW FW  . TW  .  .  . TW  .  . TW",  // FIN
        "ES  .  . ES  .  .  .  .  . ES ES",  // ACK
        "CL CL  . CL CL  .  . CL CL CL CL",  // RST
    },
    // input_only
    {
        "SA  . ES  . SA SA SA SA SA SA  .",  // SYN
        "CL FW  . TW  .  .  .  .  .  . TW",  // FIN
        "ES  .  . ES  .  .  .  . CL  . ES",  // ACK
        "CL CL CL  . CL CL  . CL  .  . CL",  // RST
    },
};

//     NO I1 IN CS CR CW CO CE ES SS SR SA RJ CL
constexpr SctpRows sctp_rows = {
    // input
    {
        "ES  .  .  .  .  .  .  .  .  .  .  .  .  .",  // DATA
        "I1 IN  .  .  .  .  .  .  .  .  .  . IN IN",  // INIT
        "CW CW CW  .  . CO  .  .  .  .  .  .  .  .",  // INIT_ACK
        "CR IN  . CR  .  .  .  .  .  .  .  .  .  .",  // COOKIE_ECHO
        "ES  .  .  .  .  .  . ES  .  .  .  .  .  .",  // COOKIE_ACK
        "SR  .  .  .  .  .  .  . SR  .  .  .  .  .",  // SHUTDOWN
        "CL IN  .  .  .  .  .  .  . CL  . CL  .  .",  // SHUT_ACK
        "CL CL CL  .  .  .  .  .  .  .  . CL  .  .",  // SHUT_COMPL
        "CL  .  .  .  .  .  . CL  .  .  .  .  .  .",  // ERROR
        "CL CL CL CL CL RJ CL CL CL CL CL CL CL  .",  // ABORT
    },
    // output
    {
        "ES  .  .  .  .  .  .  .  .  .  .  .  .  .",  // DATA
        "CW CW CW CW CW  . CW CW  . CW CW CW CW CW",  // INIT
        "CS CS CS  .  .  .  .  .  .  .  .  .  .  .",  // INIT_ACK
        "CE CE CE CE CE CE CE  .  .  .  .  .  .  .",  // COOKIE_ECHO
        "ES ES ES ES ES ES ES ES  .  .  .  .  .  .",  // COOKIE_ACK
        "SS SS SS SS SS SS SS SS SS  .  .  .  .  .",  // SHUTDOWN
        "SA SA SA SA SA  .  .  .  . SA SA  .  .  .",  // SHUT_ACK
        "CL  .  .  .  .  .  .  .  .  .  .  .  .  .",  // SHUT_COMPL
        "CL CL CL CL CL  .  .  .  .  .  .  .  .  .",  // ERROR
        "CL RJ CL CL CL CL CL CL CL CL CL CL CL  .",  // ABORT
    },
    // input_only
    {
        "ES  .  .  .  . ES  .  .  .  .  .  .  .  .",  // DATA
        "I1 IN  . IN IN IN  .  .  .  .  .  . IN IN",  // INIT
        "CE CE CE CE CE CE  .  .  .  .  .  .  .  .",  // INIT_ACK
        "ES ES ES ES ES ES  .  .  .  .  .  .  .  .",  // COOKIE_ECHO
        "ES  .  . ES ES  . ES ES  .  .  .  .  .  .",  // COOKIE_ACK
        "SR  .  .  .  .  .  .  . SR  .  .  .  .  .",  // SHUTDOWN
        "CL IN  .  .  .  .  .  . CL CL  . CL  .  .",  // SHUT_ACK
        "CL CL CL CL CL  .  .  .  .  . CL CL  .  .",  // SHUT_COMPL
        "CL  .  .  .  .  .  .  .  .  .  .  .  .  .",  // ERROR
        "CL CL CL CL CL RJ CL CL CL CL CL CL CL  .",  // ABORT
    },
};
// clang-format on

// Rows are text so that they can be held against IPVS's; a column is three characters, the name in its last two.
template <std::size_t states>
constexpr u64 word_of(std::string_view row, const std::array<std::string_view, states>& names) {
  u64 word = 0;
  for (u32 state = 0; state < states; ++state) {
    const std::string_view cell = row.substr(state * 3, 2);
    u64 next = state;
    bool known = cell == " .";
    for (u32 candidate = 0; candidate < states; ++candidate)
      if (cell == names[candidate]) {
        next = candidate;
        known = true;
      }
    if (!known) throw "a row names a state that there is not";  // while compiling
    word |= next << (state * 4);
  }
  return word;
}

template <std::size_t events, std::size_t states>
constexpr auto words_of(const char* const (&rows)[named_directions][events],
                        const std::array<std::string_view, states>& names) {
  std::array<std::array<u64, events>, named_directions> words{};
  for (u32 direction = 0; direction < named_directions; ++direction)
    for (u32 event = 0; event < events; ++event) words[direction][event] = word_of(rows[direction][event], names);
  return words;
}

constexpr auto normal_words = words_of(normal_rows, tcp_names);
constexpr auto secure_words = words_of(secure_rows, tcp_names);
constexpr auto sctp_words = words_of(sctp_rows, sctp_names);

constexpr u64 everywhere(TcpState next) {
  u64 word = 0;
  for (u32 state = 0; state < tcp_states; ++state) word |= static_cast<u64>(next) << (state * 4);
  return word;
}

}  // namespace

void write_tcp_transitions(Settings& settings, TcpTable table) {
  const auto& words = table == TcpTable::secure ? secure_words : normal_words;
  for (u32 direction = 0; direction < named_directions; ++direction) {
    for (u32 event = 0; event < tcp_named_events; ++event)
      store_release(&machine_of(settings, Machine::tcp).next[direction][event], words[direction][event]);
    store_release(&machine_of(settings, Machine::tcp).next[direction][static_cast<u32>(TcpEvent::none)],
                  everywhere(TcpState::close));
  }
}

void write_sctp_transitions(Settings& settings) {
  for (u32 direction = 0; direction < named_directions; ++direction)
    for (u32 event = 0; event < sctp_named_events; ++event)
      store_release(&machine_of(settings, Machine::sctp).next[direction][event], sctp_words[direction][event]);
}

}  // namespace penstock::control
