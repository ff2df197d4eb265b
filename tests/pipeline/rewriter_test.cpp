// Goal: the files of accounts stay few while all accounts are in memory, and no account is lost
// with those that are dropped: not when a round is broken off by a restart, nor by accounts that
// leave memory. Method: commits large enough for files of their own, one after the other, beside
// the model; what the store has is counted anew and read back after a restart.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

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

constexpr std::size_t kAccounts = 20'000;
constexpr std::size_t kChunk =
    6'000;  // events; more than 2,000 accounts, so each commit has a file

std::vector<Line> feed_of(std::size_t events) {
  FeedShape shape;
  shape.accounts = kAccounts;
  shape.events = events;
  shape.step_us = kSecond_us / 100;
  return make_feed(shape);
}

class Rewriting : public testing::TestWithParam<std::size_t> {
 protected:
  void open(std::size_t memory_bytes = std::size_t{64} << 20) {
    rig_.reset();
    RigOptions options;
    options.directory = directory_.path();
    options.shards = GetParam();
    options.memory_bytes = memory_bytes * GetParam();
    rig_ = std::make_unique<Rig>(options);
  }

  // In commits of a chunk each, until `done` or the end of `lines`.
  template <typename Done>
  void feed(std::span<const Line> lines, Done done) {
    for (; !lines.empty() && !done(); lines = lines.subspan(std::min(kChunk, lines.size()))) {
      const auto chunk = lines.first(std::min(kChunk, lines.size()));
      // Without a drain between, so that the chunk goes into one commit: a round takes several.
      for (const Line& line : chunk) rig_->feed(line);
      model_.apply(chunk);
      rig_->settle();
      fed_.insert(fed_.end(), chunk.begin(), chunk.end());
    }
  }

  [[nodiscard]] std::uint64_t round() const {
    return rig_->pipeline().committer().rewriting().load();
  }

  // The figures are the model's; the accounts in the store add up to them; after a restart a replay
  // finds every account and its fence.
  void expect_nothing_lost() {
    expect_figures(*rig_->snapshot(), model_);
    rig_->stop();
    const store::Verification verified = store::verify(rig_->store());
    EXPECT_EQ(verified.differing, 0U)
        << (verified.differences.empty() ? "" : verified.differences.front());
    open();
    rig_->feed(fed_);
    rig_->settle();
    EXPECT_EQ(rig_->counted(), 0);
    expect_figures(*rig_->snapshot(), model_);
  }

  const TempDir directory_;
  std::unique_ptr<Rig> rig_;
  Model model_;
  std::vector<Line> fed_;
};
INSTANTIATE_TEST_SUITE_P(Shards, Rewriting, testing::Values(1, 2, 5));

TEST_P(Rewriting, KeepsFilesFew) {
  const std::vector<Line> lines = feed_of(80 * kChunk);
  open();
  store::AccountFiles first;
  std::size_t most = 0;
  feed(lines, [&] {
    const store::AccountFiles now = rig_->store().account_files();
    if (first.empty() && now.size() > 8) first = now;
    most = std::max(most, now.size());
    return false;
  });
  // RocksDB merges none before there are 128.
  EXPECT_LT(most, 60U);
  ASSERT_FALSE(first.empty());
  for (const auto& [number, records] : rig_->store().account_files()) {
    EXPECT_FALSE(first.contains(number));
  }
  expect_nothing_lost();
}

TEST_P(Rewriting, IsBrokenOffByARestart) {
  const std::vector<Line> lines = feed_of(60 * kChunk);
  open();
  feed(lines, [&] { return round() != 0; });
  ASSERT_NE(round(), 0U);
  const std::size_t files = rig_->store().account_files().size();
  open();
  EXPECT_GE(rig_->store().account_files().size(), files);
  expect_nothing_lost();
}

// More accounts come than fit, so that some leave memory which the round has not come to.
TEST_P(Rewriting, IsBrokenOffByAccountsThatLeave) {
  const std::vector<Line> lines = feed_of(60 * kChunk);
  open(std::size_t{20} << 20);
  feed(lines, [&] { return round() != 0; });
  ASSERT_NE(round(), 0U);
  std::vector<Line> strangers;
  Line line = lines.back();
  for (std::size_t i = 0; i < 80'000 * GetParam(); ++i) {
    line.did = "did:plc:stranger" + std::to_string(i);
    strangers.push_back(line);
  }
  rig_->feed(strangers);
  model_.apply(strangers);
  rig_->settle();
  rig_->feed(strangers.front());  // a replay; what it is committed with comes after the others
  rig_->settle();
  EXPECT_EQ(round(), 0U);
  expect_nothing_lost();
}

}  // namespace
}  // namespace geotally::pipeline
