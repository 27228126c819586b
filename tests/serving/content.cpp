#include "tests/serving/content.hpp"

namespace penstock::serving {
namespace {

// splitmix64 of the word's number; its bytes from the lowest on.
std::byte byte_at(std::uint64_t seed, std::uint64_t place) {
  std::uint64_t x = seed * 0xd1342543de82ef95 + (place / 8 + 1) * 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  x ^= x >> 31;
  return static_cast<std::byte>(x >> place % 8 * 8 & 0xff);
}

}  // namespace

void fill(std::span<std::byte> bytes, std::uint64_t seed, std::uint64_t offset) {
  for (std::byte& byte : bytes) byte = byte_at(seed, offset++);
}

std::size_t count_right(std::span<const std::byte> bytes, std::uint64_t seed, std::uint64_t offset) {
  std::size_t right = 0;
  while (right < bytes.size() && bytes[right] == byte_at(seed, offset + right)) ++right;
  return right;
}

}  // namespace penstock::serving
