// Goal: memory is bounded, and that it is full changes no figure and stops nothing.
// Method: the smallest tables there are, with many more accounts than fit; no commit in between
// unless the pipeline asks for one itself.
#include <gtest/gtest.h>

#include "model.h"
#include "rig.h"
#include "store/verify.h"
#include "support/temp_dir.h"

namespace geotally::pipeline {
namespace {

using support::kSecond_us;
using support::Line;
using support::TempDir;

constexpr std::int64_t kStart_us = 1'700'000'000'000'000;

RigOptions tight(const TempDir& directory, std::size_t shards) {
  RigOptions options;
  options.directory = directory.path();
  options.shards = shards;
  options.memory_bytes = 1;  // the smallest tables: some 1,500 accounts in each
  return options;
}

void expect_verified(Rig& rig) {
  const store::Verification verified = store::verify(rig.store());
  EXPECT_EQ(verified.differing, 0U)
      << (verified.differences.empty() ? "" : verified.differences.front());
}

class Tight : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Shards, Tight, testing::Values(1, 2, 5));

TEST_P(Tight, ColdAccountsAreReadBack) {
  const TempDir directory;
  FeedShape shape;
  shape.accounts = 100'000 / kShorter;
  shape.events = 250'000 / kShorter;
  shape.step_us = 100'000;
  const std::vector<Line> lines = make_feed(shape);
  Model model;
  model.apply(lines);
  Rig rig(tight(directory, GetParam()));
  rig.feed(lines);
  rig.settle();
  expect_figures(*rig.snapshot(), model);
  EXPECT_EQ(rig.counted(), static_cast<double>(model.accepted()));
  // All over again: every fence is read back, and holds.
  rig.feed(std::span(lines).first(lines.size() / 5));
  rig.settle();
  expect_figures(*rig.snapshot(), model);
  rig.stop();
  expect_verified(rig);
}

// Every event changes another account, and no mark is due for an hour: the shards ask for them.
TEST_P(Tight, ManyChangesAskForAMark) {
  const TempDir directory;
  RigOptions options = tight(directory, GetParam());
  options.commit_interval_us = 3'600 * kSecond_us;
  Rig rig(options);
  constexpr std::uint64_t kAccounts = 60'000 / kShorter;
  Line line;
  for (std::uint64_t i = 0; i < kAccounts; ++i) {
    line.did = "did:plc:" + std::to_string(i);
    line.time_us = kStart_us + static_cast<std::int64_t>(i);
    rig.feed(line);
    if (i % 1'000 == 0) rig.drained();
  }
  EXPECT_GE(rig.committed(), kAccounts / (GetParam() * AccountTable::limit_for(0)) - 1);
  rig.stop();
  EXPECT_EQ(rig.snapshot()->countries[0].accounts, kAccounts);
  EXPECT_EQ(rig.snapshot()->countries[0].posts, kAccounts);
  expect_verified(rig);
}

// A few accounts, so that they ask for nothing; but each event has cells of its own in three tiers.
TEST_P(Tight, EventsOfManyHoursAskForAMark) {
  const TempDir directory;
  RigOptions options = tight(directory, GetParam());
  options.commit_interval_us = 100'000 * kSecond_us;
  FeedShape shape;
  shape.accounts = 100;
  // Some 17,000 of a day come to each of five shards, three times what one mark can hold.
  shape.events = 240'000;
  shape.step_us = kSecond_us;
  const std::vector<Line> lines = make_feed(shape);
  Model model;
  model.apply(lines);
  Rig rig(options);
  rig.feed(lines);
  const std::int64_t days =
      static_cast<std::int64_t>(shape.events) * shape.step_us / (tally::kDaySeconds * kSecond_us);
  EXPECT_GT(rig.committed(), static_cast<std::uint64_t>(2 * days));  // each ends with one mark
  rig.stop();
  expect_figures(*rig.snapshot(), model);
  expect_verified(rig);
}

// Without a drain between: full batches only, as fast as they can be filled.
TEST_P(Tight, AFloodOfNewAccountsDoesNotStopIt) {
  const TempDir directory;
  RigOptions options = tight(directory, GetParam());
  options.commit_interval_us = 3'600 * kSecond_us;
  Rig rig(options);
  constexpr std::uint64_t kAccounts = 60'000 / kShorter;
  std::vector<std::string> messages;
  for (std::uint64_t i = 0; i < kAccounts; ++i) {
    Line line;
    line.did = "did:plc:" + std::to_string(i);
    line.time_us = kStart_us + static_cast<std::int64_t>(i);
    messages.push_back(support::to_message(line));
  }
  for (const std::string& message : messages) rig.feed(message);
  rig.stop();
  EXPECT_EQ(rig.snapshot()->countries[0].accounts, kAccounts);
}

// Accounts that only replay take room too, and give it back without a commit.
TEST_P(Tight, ReplaysNeedNoMark) {
  const TempDir directory;
  FeedShape shape;
  shape.accounts = 20'000;
  shape.events = 20'000;
  const std::vector<Line> lines = make_feed(shape);
  RigOptions options = tight(directory, GetParam());
  {
    Rig rig(options);
    rig.feed(lines);
  }
  options.commit_interval_us = 3'600 * kSecond_us;
  Rig rig(options);
  const std::uint64_t before = rig.committed();
  rig.feed(lines);
  rig.feed(lines);
  EXPECT_EQ(rig.committed(), before);
  rig.stop();
  EXPECT_EQ(rig.counted(), 0);
}

// Far too many records within the horizon: the fences' memory is bounded, and says so.
TEST(Fences, AreBoundedAndSaySo) {
  const TempDir directory;
  RigOptions options = tight(directory, 1);
  options.fence_horizon_s = 1'000'000;
  Rig rig(options);
  FeedShape shape;
  shape.events = 5'000;
  const std::vector<Line> lines = make_feed(shape);
  Model model;
  model.apply(lines);
  rig.feed(lines);
  rig.settle();
  EXPECT_GT(rig.metric("geotally_fence_overflows_total"), 0);
  rig.feed(lines);  // still exact for replays
  rig.settle();
  std::uint64_t posts = 0;
  for (const tally::CountryFigures& figures : rig.snapshot()->countries) posts += figures.posts;
  EXPECT_EQ(static_cast<double>(posts), rig.metric("geotally_events_total{kind=\"post\"}"));
  EXPECT_LE(rig.counted(), static_cast<double>(model.accepted()));
}

}  // namespace
}  // namespace geotally::pipeline
