#include "control/fingerprint.hpp"

#include <bit>

namespace penstock::control {
namespace {

struct State {
  u64 v0, v1, v2, v3;

  void rounds(int count) {
    for (; count > 0; --count) {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = std::rotl(v1, 17) ^ v2;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 = std::rotl(v2, 32);
    }
  }

  void take(u64 word) {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
};

}  // namespace

u64 siphash(const u64 (&key)[2], std::span<const u64> message) {
  State state{key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL, key[0] ^ 0x6c7967656e657261ULL,
              key[1] ^ 0x7465646279746573ULL};
  for (const u64 word : message) state.take(word);
  state.take(u64{message.size_bytes()} << 56);
  state.v2 ^= 0xff;
  state.rounds(4);
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

u64 fingerprint_of(std::span<const u64> secret) {
  const u64 key[2] = {secret[0], secret[1]};
  return siphash(key, secret);
}

}  // namespace penstock::control
