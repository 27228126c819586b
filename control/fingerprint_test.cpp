#include "control/fingerprint.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace penstock::control {
namespace {

// The vectors of SipHash's authors: key bytes 00 to 0f, message bytes 00, 01, …; here those of whole words.
TEST(siphash, gives_its_authors_answers) {
  const u64 key[2] = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
  const std::vector<u64> message = {0x0706050403020100ULL};
  EXPECT_EQ(siphash(key, {}), 0x726fdb47dd0e0e31ULL);
  EXPECT_EQ(siphash(key, message), 0x93f5f5799a932462ULL);
}

TEST(fingerprint, differs_with_any_word_of_the_secret) {
  const std::vector<u64> secret = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(fingerprint_of(secret), fingerprint_of(secret));
  for (std::size_t i = 0; i < secret.size(); ++i) {
    std::vector<u64> other = secret;
    other[i] ^= 1;
    EXPECT_NE(fingerprint_of(other), fingerprint_of(secret)) << i;
  }
}

}  // namespace
}  // namespace penstock::control
