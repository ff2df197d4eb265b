#include "tally/windows.h"

#include <charconv>

namespace geotally::tally {

std::optional<RowKind> tier_of(std::int64_t seconds) {
  if (seconds <= 0) return std::nullopt;
  for (const RowKind tier : kTiers) {
    if (seconds > reach_seconds(tier)) continue;
    return seconds % bucket_seconds(tier) == 0 ? std::optional(tier) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<Window> parse_window(std::string_view name) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end + 1 != name.data() + name.size()) return std::nullopt;
  if (number <= 0 || number > reach_seconds(RowKind::kHour)) return std::nullopt;
  std::int64_t unit = 0;
  switch (*end) {
    case 's':
      unit = 1;
      break;
    case 'm':
      unit = 60;
      break;
    case 'h':
      unit = 3'600;
      break;
    case 'd':
      unit = kDaySeconds;
      break;
    default:
      return std::nullopt;
  }
  if (!tier_of(number * unit)) return std::nullopt;
  return Window{std::string(name), number * unit};
}

std::vector<Window> default_windows() {
  std::vector<Window> windows;
  for (const char* name : {"1m", "5m", "15m", "1h", "6h", "24h", "7d", "30d", "90d"}) {
    windows.push_back(*parse_window(name));
  }
  return windows;
}

}  // namespace geotally::tally
