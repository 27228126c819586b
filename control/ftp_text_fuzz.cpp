// What FTP's control connections say, from anybody: never more is read than there is, and what is announced instead is read back as said.
#include <cstdlib>

#include "control/ftp_text.hpp"

namespace {

using namespace penstock;

void require(bool holds) {
  if (!holds) std::abort();
}

void read(std::string_view text, Family family) {
  (void)control::data_port_in(text, family);
  const auto found = control::announcement_in(text, family);
  if (!found) return;
  require(found->begin + found->length <= text.size() && found->port != 0);
  std::string changed(text);
  changed.replace(found->begin, found->length, control::announced(*found, {.low = 0x010200c0, .high = 0}, found->port));
  const auto again = control::announcement_in(changed, family);
  require(again && again->port == found->port && again->begin == found->begin);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read(text, Family::ipv4);
  read(text, Family::ipv6);
  return 0;
}
