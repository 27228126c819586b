// TCP's options (RFC 9293 §3.1; SACK: RFC 2018; timestamps: RFC 7323). They stand at any offset, even or odd.
#pragma once

#include "datapath/abi/types.hpp"

namespace penstock {

static constexpr u32 tcp_option_bytes_max = 40;

static constexpr u8 tcp_option_end = 0;
static constexpr u8 tcp_option_none = 1;  // alone in its byte, as the end is
static constexpr u8 tcp_option_mss = 2;
static constexpr u8 tcp_option_sack = 5;
static constexpr u8 tcp_option_timestamps = 8;

static constexpr u8 tcp_mss_bytes = 4;
static constexpr u8 tcp_timestamps_bytes = 10;

// What others begin with.
struct TcpOption {
  u8 kind;
  u8 length;
};

}  // namespace penstock
