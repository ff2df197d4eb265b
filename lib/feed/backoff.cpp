#include "feed/backoff.h"

#include <algorithm>

namespace geotally::feed {

Backoff::Backoff(BackoffOptions options, std::uint64_t seed) : options_(options), random_(seed) {}

std::chrono::milliseconds Backoff::next() {
  const std::int64_t first = std::max<std::int64_t>(1, options_.first.count());
  const std::int64_t max = std::max<std::int64_t>(first, options_.max.count());
  std::int64_t step = first;
  for (std::uint32_t i = 0; i < failures_ && step < max; ++i) step *= 2;
  step = std::min(step, max);
  ++failures_;
  std::uniform_int_distribution<std::int64_t> jitter(step / 2, step);
  return std::chrono::milliseconds(jitter(random_));
}

}  // namespace geotally::feed
