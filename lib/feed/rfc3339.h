// Times as RFC 3339 writes them ("2026-08-11T12:49:00.398794Z").
#pragma once

#include <cstdint>
#include <string_view>

namespace geotally::feed {

/// The last microsecond of the year 9999: no event time lies past it.
inline constexpr std::int64_t kTimeMax_us = 253'402'300'799'999'999;

/// Microseconds since the epoch; false when `text` is no RFC 3339 time of the years 1970
/// to 9999. Digits past the sixth of a fraction are cut; a leap second counts as the one before.
[[nodiscard]] bool parse_rfc3339(std::string_view text, std::int64_t& time_us);

}  // namespace geotally::feed
