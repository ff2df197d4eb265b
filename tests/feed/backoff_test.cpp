// Goal: attempts spread, slow down and stay within their bounds.
#include "feed/backoff.h"

#include <set>

#include <gtest/gtest.h>

namespace geotally::feed {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesUpToTheMaximumWithHalfOfItRandom) {
  Backoff backoff({milliseconds(100), milliseconds(1000)}, 1);
  for (const int step : {100, 200, 400, 800, 1000, 1000, 1000}) {
    const auto delay = backoff.next();
    EXPECT_GE(delay, milliseconds(step / 2));
    EXPECT_LE(delay, milliseconds(step));
  }
  backoff.reset();
  EXPECT_LE(backoff.next(), milliseconds(100));
}

TEST(Backoff, ClientsWithOtherSeedsSpread) {
  std::set<std::int64_t> delays;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Backoff backoff({milliseconds(10'000), milliseconds(10'000)}, seed);
    delays.insert(backoff.next().count());
  }
  EXPECT_GT(delays.size(), 90u);
}

TEST(Backoff, AnyNumberOfFailuresStaysBounded) {
  Backoff backoff({milliseconds(1), milliseconds(60'000)}, 7);
  for (int i = 0; i < 10'000; ++i) ASSERT_LE(backoff.next(), milliseconds(60'000));
  Backoff nonsense({milliseconds(0), milliseconds(-5)}, 7);
  EXPECT_LE(nonsense.next(), milliseconds(1));
}

}  // namespace
}  // namespace geotally::feed
