// Goal: nothing is shown before it is durable; a disk that fails costs time and nothing else; and
// the end comes also while it fails.
#include <gtest/gtest.h>

#include "model.h"
#include "rig.h"
#include "store/errors.h"
#include "store/verify.h"
#include "support/full_disk.h"
#include "support/temp_dir.h"

namespace geotally::pipeline {
namespace {

using support::DiskFault;
using support::Line;
using support::make_faulty_env;
using support::TempDir;

// Within one day: at midnight the feed waits for a disk that is full, as it should.
const FeedShape kShape = {.seed = 1,
                          .accounts = 3'000,
                          .events = 20'000,
                          .start_us = 19'700 * support::kDay_us,
                          .step_us = support::kSecond_us,
                          .with_status = true};

class Fault : public testing::Test {
 protected:
  Fault() : env_(make_faulty_env(fault_)), lines_(make_feed(kShape)) {
    options_.directory = directory_.path();
    options_.env = env_.get();
    options_.failed = [this](std::exception_ptr reason) {
      try {
        std::rethrow_exception(std::move(reason));
      } catch (const store::IoError&) {
        ++failed_;
      }
    };
  }

  const TempDir directory_;
  DiskFault fault_;
  std::unique_ptr<rocksdb::Env> env_;
  RigOptions options_;
  std::atomic<int> failed_{0};
  std::vector<Line> lines_;
  Model model_;
};

TEST_F(Fault, NothingIsShownBeforeItIsCommitted) {
  Rig rig(options_);
  const std::span lines(lines_);
  rig.feed(lines.first(5'000));
  model_.apply(lines.first(5'000));
  rig.settle();
  EXPECT_FALSE(rig.pipeline().committer().failing());
  const auto before = rig.snapshot();
  expect_figures(*before, model_);

  fault_.full = true;
  rig.feed(lines.subspan(5'000, 1'000));
  await([&] {
    rig.tick();
    return rig.pipeline().committer().failing();
  });
  const double errors = rig.metric("geotally_store_commit_errors_total");
  EXPECT_GE(errors, 1);
  rig.feed(lines.subspan(6'000, 500));
  await([&] { return rig.metric("geotally_store_commit_errors_total") > errors; });
  EXPECT_EQ(rig.snapshot(), before);  // the very same
  EXPECT_EQ(rig.store().last_commit().number, before->commit);
  EXPECT_EQ(rig.committed(), before->commit);

  fault_.full = false;
  rig.feed(lines.subspan(6'500));
  model_.apply(lines.subspan(5'000));
  rig.settle();
  EXPECT_FALSE(rig.pipeline().committer().failing());
  expect_figures(*rig.snapshot(), model_);
  rig.stop();
  EXPECT_EQ(failed_, 0);
  EXPECT_EQ(store::verify(rig.store()).differing, 0U);
}

// A sync that failed may have lost what was written: the process ends, and begins again from the
// last commit.
TEST_F(Fault, AFailedSyncEndsTheProcessAndLosesNothing) {
  const std::span lines(lines_);
  std::uint64_t committed = 0;
  {
    Rig rig(options_);
    rig.feed(lines.first(8'000));
    model_.apply(lines.first(8'000));
    rig.settle();
    committed = rig.committed();
    const auto before = rig.snapshot();
    fault_.syncs_fail = true;
    rig.feed(lines.subspan(8'000, 1'000));
    await([&] {
      rig.tick();
      return failed_ > 0;
    });
    EXPECT_EQ(rig.snapshot()->commit, committed);
    expect_figures(*before, model_);
    rig.stop();
  }
  fault_.syncs_fail = false;
  Rig rig(options_);
  EXPECT_GE(rig.committed(), committed);
  EXPECT_LE(rig.committed(), committed + 1);  // it may have reached the disk all the same
  const std::size_t again = rig.resume_at(lines);
  EXPECT_LE(again, 9'000U);
  rig.feed(lines.subspan(again));
  model_.apply(lines.subspan(8'000));
  rig.settle();
  expect_figures(*rig.snapshot(), model_);
  EXPECT_EQ(store::verify(rig.store()).differing, 0U);
}

// What is in the queues then is thrown away, and read again after the next start.
TEST_F(Fault, TheEndComesWhileCommitsFail) {
  const std::span lines(lines_);
  options_.memory_bytes = 1;
  options_.shards = 3;
  {
    Rig rig(options_);
    rig.feed(lines.first(2'000));
    rig.settle();
    fault_.full = true;
    std::size_t fed = 2'000;
    await([&] {
      rig.feed(lines[fed++]);
      rig.drained();
      return rig.pipeline().committer().failing();
    });
    // Not so much that a shard wants a mark: the feed would wait for the disk, as it should.
    for (const std::size_t end = fed + 800; fed < end; ++fed) rig.feed(lines[fed]);
    rig.stop();
    EXPECT_EQ(failed_, 1);
  }
  fault_.full = false;
  Rig rig(options_);
  rig.feed(lines.subspan(rig.resume_at(lines)));
  model_.apply(lines);
  rig.settle();
  expect_figures(*rig.snapshot(), model_);
}

TEST_F(Fault, TheLastCommitIsTriedOnceAndNotForEver) {
  const std::span lines(lines_);
  {
    Rig rig(options_);
    rig.feed(lines.first(2'000));
    rig.settle();
    rig.feed(lines.subspan(2'000, 200));
    fault_.full = true;
    rig.stop();
    EXPECT_EQ(failed_, 1);
  }
  fault_.full = false;
  Rig rig(options_);
  rig.feed(lines.subspan(rig.resume_at(lines)));
  model_.apply(lines);
  rig.settle();
  expect_figures(*rig.snapshot(), model_);
}

}  // namespace
}  // namespace geotally::pipeline
