#include "control/defence.hpp"

#include <sys/sysinfo.h>
#include <unistd.h>

namespace penstock::control {
namespace {

constexpr u32 off = 0;
constexpr u32 always = 3;

bool is_at_work(u32 mode, bool memory_is_short) { return mode == always || (mode != off && memory_is_short); }

}  // namespace

Defence defence_of(const model::Settings& settings, u64 available_pages) {
  const u32 threshold = model::number_of(settings, "amemthresh");
  const bool is_short = available_pages < threshold;
  Defence defence{.drop_rate = 0,
                  .secure_tcp = is_at_work(model::number_of(settings, "secure_tcp"), is_short),
                  .drops_entries = is_at_work(model::number_of(settings, "drop_entry"), is_short)};
  const u32 drop_packet = model::number_of(settings, "drop_packet");
  if (drop_packet == always) defence.drop_rate = model::number_of(settings, "am_droprate");
  if (drop_packet != always && is_at_work(drop_packet, is_short))
    defence.drop_rate = threshold / (threshold - static_cast<u32>(available_pages));
  return defence;
}

u64 available_pages() {
  struct sysinfo memory{};
  if (sysinfo(&memory) != 0) return plenty_of_pages;
  const auto page = static_cast<u64>(sysconf(_SC_PAGESIZE));
  return (u64{memory.freeram} + memory.bufferram) * memory.mem_unit / page;
}

}  // namespace penstock::control
