// Goal: a broken invariant is told, in words, and then stops the process, however it was built.
// Method: this file is compiled as a packager might: with NDEBUG, which switches assert() off.
#undef NDEBUG
#define NDEBUG
#include "base/check.h"

#include <cassert>
#include <cstdio>

#include <gtest/gtest.h>

namespace geotally::base {
namespace {

TEST(Check, NothingHappensWhileItHolds) {
  int evaluated = 0;
  GEOTALLY_CHECK(++evaluated == 1, "one is one");
  EXPECT_EQ(evaluated, 1);
}

TEST(Check, StopsTheProcessInEveryBuild) {
  const int cells = -1;
  assert(cells >= 0);  // NDEBUG: says nothing
  EXPECT_DEATH(GEOTALLY_CHECK(cells >= 0, "a cell left its range"),
               "invariant broken: a cell left its range \\(cells >= 0, .*check_test.cpp:[0-9]+\\)");
}

TEST(Check, TellsTheHandlerBeforeTheEnd) {
  on_broken([](const Broken& told) {
    std::fprintf(stderr, "log: %s / %s\n", told.what, told.condition);
  });
  EXPECT_DEATH(GEOTALLY_CHECK(1 == 2, "sums agree"), "^log: sums agree / 1 == 2\n$");
  on_broken({});
}

// It is told while the process lives, whatever its own line runs into.
TEST(Check, AHandlerThatBreaksSomethingItselfEndsTheProcessAllTheSame) {
  on_broken([](const Broken&) { GEOTALLY_CHECK(false, "the log"); });
  EXPECT_EXIT(GEOTALLY_CHECK(false, "a cell"), testing::KilledBySignal(SIGABRT), "");
  on_broken({});
}

}  // namespace
}  // namespace geotally::base
