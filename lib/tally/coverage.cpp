#include "tally/coverage.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace geotally::tally {

std::int64_t window_start_us(std::int64_t seconds, std::int64_t edge_us) {
  const RowKind tier = tier_of(seconds).value_or(RowKind::kHour);
  return first_in_window(tier, seconds, edge_us / kMicrosPerSecond) * bucket_seconds(tier) *
         kMicrosPerSecond;
}

std::int64_t coverage_us(std::int64_t seconds, std::int64_t edge_us, Observed observed,
                         std::span<const Gap> gaps) {
  const std::int64_t start = std::max(window_start_us(seconds, edge_us), observed.since_us);
  const std::int64_t end = std::min(edge_us, observed.until_us);
  if (end <= start) return 0;

  std::vector<std::pair<std::int64_t, std::int64_t>> missing;
  for (const Gap& gap : gaps) {
    const std::int64_t from = std::max(gap.from_us, start);
    const std::int64_t to = std::min(gap.to_us, end);
    if (from < to) missing.emplace_back(from, to);
  }
  std::sort(missing.begin(), missing.end());
  std::int64_t covered = end - start;
  std::int64_t counted_until = start;
  for (const auto& [from, to] : missing) {
    const std::int64_t fresh = std::max(from, counted_until);
    if (to > fresh) covered -= to - fresh;
    counted_until = std::max(counted_until, to);
  }
  return covered;
}

}  // namespace geotally::tally
