// How much of a window was really observed (DEFINITIONS: window_coverage_seconds).
#pragma once

#include <cstdint>
#include <span>

#include "event/gap.h"
#include "tally/windows.h"

namespace geotally::tally {

/// The stretch that was observed, but for the gaps. Microseconds since the epoch.
struct Observed {
  std::int64_t since_us = 0;
  std::int64_t until_us = 0;
};

/// Where window `seconds` begins at right edge `edge_us`: from here to the edge, which is less than
/// `seconds` by what is missing of the current bucket, it can be covered.
[[nodiscard]] std::int64_t window_start_us(std::int64_t seconds, std::int64_t edge_us);

/// Microseconds of window `seconds` at right edge `edge_us` that were observed: the window's
/// own stretch ∩ `observed`, minus `gaps` (any order; overlapping ones count once).
[[nodiscard]] std::int64_t coverage_us(std::int64_t seconds, std::int64_t edge_us,
                                       Observed observed, std::span<const Gap> gaps);

}  // namespace geotally::tally
