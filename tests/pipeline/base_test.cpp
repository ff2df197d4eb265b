// Goal: posts of the past count in what the API shows, and no counter for Prometheus moves by them:
// not over a restart either, and never one without the other. And a commit says what was counted,
// and by what. Method: a committer over a real store, given what a shard would deliver.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include "geo/resolver.h"
#include "log/log.h"
#include "metrics/country_page.h"
#include "metrics/metrics.h"
#include "pipeline/committer.h"
#include "rig.h"
#include "support/full_disk.h"
#include "support/temp_dir.h"

namespace geotally::pipeline {
namespace {

using support::DiskFault;
using support::make_faulty_env;
using support::TempDir;

constexpr std::int64_t kNow_us = 1'750'000'000'000'000;

class Base : public testing::Test {
 protected:
  Base() : env_(make_faulty_env(fault_)) { open(); }
  ~Base() override {
    close();
    ::close(null_);
  }

  void open() {
    store::Options options;
    options.directory = directory_.path();
    options.env = env_.get();
    store_ = store::Store::open(options);
    committer_ = std::make_unique<Committer>(
        CommitterOptions{.shards = 1, .windows = {}, .now_us = [] { return kNow_us; }}, *store_,
        metrics_, log_);
    committer_->start([this](std::exception_ptr) { ++failed_; });
  }
  void close() {
    if (committer_) committer_->stop();
    committer_.reset();
    store_.reset();
  }
  void restart() {
    close();
    open();
  }

  // One mark with `posts` posts of now and `past` of long ago, all of France.
  void deliver(std::int32_t posts, std::uint64_t past) {
    auto mark = std::make_shared<Mark>();
    mark->number = committer_->committed() + 1;
    mark->watermark_us = mark->edge_us = mark->ingested_until_us = kNow_us;
    mark->observed_since_us = kNow_us;
    mark->next_day_to_close = kNow_us / tally::kMicrosPerSecond / tally::kDaySeconds;
    auto changes = std::make_unique<ShardChanges>();
    changes->mark = mark;
    tally::CountryChange& change = changes->cells.country(kFrance);
    change.posts = posts + static_cast<std::int64_t>(past);
    change.base_posts = past;
    committer_->deliver(std::move(changes));
  }
  void commit(std::int32_t posts, std::uint64_t past) {
    const std::uint64_t number = committer_->committed() + 1;
    deliver(posts, past);
    await([&] { return committer_->committed() >= number; });
  }

  [[nodiscard]] std::uint64_t posts_ever() const {
    return committer_->snapshot()->countries[kFrance.index()].posts;
  }
  [[nodiscard]] std::string posts_total() const {
    const std::string page = metrics::country_page(*committer_->snapshot());
    const std::string_view name = "geotally_posts_total{country=\"FR\"} ";
    const std::size_t at = page.find(name) + name.size();
    return page.substr(at, page.find('\n', at) - at);
  }

  const Country kFrance = *Country::parse("FR");
  const TempDir directory_;
  DiskFault fault_;
  std::unique_ptr<rocksdb::Env> env_;
  const int null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  log::Logger log_{[this] {
    log::Options options;
    options.descriptor = null_;
    return options;
  }()};
  metrics::Metrics metrics_{{"0", "test"}, 0, {}, log_};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Committer> committer_;
  std::atomic<int> failed_{0};
};

TEST_F(Base, PostsOfThePastAreShownAndMoveNoCounter) {
  commit(3, 0);
  EXPECT_EQ(posts_total(), "3");
  commit(0, 1'000);
  EXPECT_EQ(posts_ever(), 1'003U);
  EXPECT_EQ(posts_total(), "3");
  commit(2, 500);
  EXPECT_EQ(posts_ever(), 1'505U);
  EXPECT_EQ(posts_total(), "5");
  EXPECT_EQ(store_->base().posts[kFrance.index()], 1'500U);
}

TEST_F(Base, ARestartMovesNoCounterEither) {
  commit(3, 1'000);
  restart();
  EXPECT_EQ(posts_ever(), 1'003U);
  EXPECT_EQ(posts_total(), "3");
  commit(1, 10);
  restart();
  EXPECT_EQ(posts_ever(), 1'014U);
  EXPECT_EQ(posts_total(), "4");
}

// A restored store has a base already: what comes of the past is added to it.
TEST_F(Base, ARestoredStoreKeepsItsOwn) {
  commit(7, 0);
  close();
  store::Options options;
  options.directory = directory_.path();
  store::Store::open(options)->start_counters_again();
  open();
  EXPECT_EQ(posts_total(), "0");
  commit(1, 100);
  EXPECT_EQ(posts_ever(), 108U);
  EXPECT_EQ(posts_total(), "1");
}

// The commit that does not get to the disk leaves totals and base as they were, both.
TEST_F(Base, ACommitThatFailsLeavesBothAsTheyWere) {
  commit(3, 0);
  fault_.full = true;
  deliver(1, 1'000);
  await([&] { return committer_->failing(); });
  EXPECT_EQ(posts_ever(), 3U);
  EXPECT_EQ(posts_total(), "3");
  close();
  EXPECT_EQ(failed_, 1);
  fault_.full = false;
  open();
  EXPECT_EQ(posts_ever(), 3U);
  EXPECT_EQ(posts_total(), "3");
}

using CommitRecord = Base;

TEST_F(CommitRecord, SaysWhichNetworkWasCountedAndByWhat) {
  EXPECT_EQ(store_->last_commit().network, store::Network::kNone);
  commit(1, 0);
  restart();
  EXPECT_EQ(store_->last_commit().network, store::Network::kBluesky);
  EXPECT_EQ(store_->last_commit().method, geo::kMethod);
  EXPECT_EQ(store_->last_commit().class_function, 0U);
  EXPECT_FALSE(store_->last_commit().archive.exists());
}

// What a later program knew of the archive stays. The classes that it counted do not follow the
// accounts any more, so it must count them anew.
TEST_F(CommitRecord, KeepsTheArchiveAndDropsTheClasses) {
  close();
  store::ArchivePosition archive;
  archive.host = "archive.example";
  archive.sequence = 5'000;
  archive.pin = 4'000;
  archive.pass = store::ArchivePosition::Pass::kDone;
  {
    store::Options options;
    options.directory = directory_.path();
    store::Commit later;
    later.record.number = 9;
    later.record.archive = archive;
    later.record.class_function = 7;
    store::Store::open(options)->commit(later);
  }
  open();
  commit(1, 0);
  restart();
  EXPECT_EQ(store_->last_commit().number, 10U);
  EXPECT_EQ(store_->last_commit().archive, archive);
  EXPECT_EQ(store_->last_commit().class_function, 0U);
}

TEST_F(CommitRecord, AStoreOfAnotherNetworkIsRefusedInWords) {
  close();
  store::Options options;
  options.directory = directory_.path();
  store_ = store::Store::open(options);
  store::Commit commit;
  commit.record.number = 1;
  commit.record.network = store::Network::kMastodon;
  store_->commit(commit);
  try {
    Committer(CommitterOptions{.shards = 1, .windows = {}, .now_us = [] { return kNow_us; }},
              *store_, metrics_, log_);
    ADD_FAILURE() << "it was taken";
  } catch (const store::Refused& refused) {
    EXPECT_NE(std::string(refused.what()).find("counts mastodon, this program follows bluesky"),
              std::string::npos)
        << refused.what();
  }
}

TEST_F(CommitRecord, AClosedDaySaysByWhichMethod) {
  const std::int64_t day = kNow_us / tally::kMicrosPerSecond / tally::kDaySeconds;
  commit(1, 0);
  auto mark = std::make_shared<Mark>();
  mark->number = committer_->committed() + 1;
  mark->watermark_us = mark->edge_us = mark->ingested_until_us =
      kNow_us + tally::kDaySeconds * tally::kMicrosPerSecond;
  mark->observed_since_us = kNow_us;
  mark->days_closed = {day};
  mark->next_day_to_close = day + 1;
  auto changes = std::make_unique<ShardChanges>();
  changes->mark = mark;
  committer_->deliver(std::move(changes));
  await([&] { return committer_->committed() == mark->number; });
  restart();
  const std::vector<store::Store::StoredDay> days = store_->days(day, day);
  ASSERT_EQ(days.size(), 1U);
  EXPECT_EQ(days[0].head.method, geo::kMethod);
  EXPECT_EQ(days[0].head.source, store::ClosingSource::kLive);
}

}  // namespace
}  // namespace geotally::pipeline
