#include "pipeline/committer.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <pthread.h>

#include "geo/resolver.h"
#include "pipeline/snapshot_of.h"
#include "tally/coverage.h"

namespace geotally::pipeline {
namespace {

constexpr std::chrono::milliseconds kRetryAfter{1'000};
constexpr std::int64_t kDay_us = tally::kDaySeconds * tally::kMicrosPerSecond;
constexpr std::int64_t kSlowCommit_us = 5'000'000;
constexpr std::int64_t kReportStoreEvery_us = 5'000'000;
// What the feeds that this program follows are of.
constexpr store::Network kNetwork = store::Network::kBluesky;

}  // namespace

Committer::Committer(CommitterOptions options, store::Store& store, metrics::Metrics& metrics,
                     log::Logger& log)
    : options_(std::move(options)),
      store_(store),
      metrics_(metrics),
      log_(log),
      record_(store.last_commit()),
      base_(store.base()),
      rewriter_(store) {
  if (record_.network != store::Network::kNone && record_.network != kNetwork) {
    throw store::Refused(
        fmt::format("the store counts {}, this program follows {}; choose another data directory",
                    to_string(record_.network), to_string(kNetwork)));
  }
  store_.load(totals_);
  gaps_ = recent_gaps(store_);
  committed_.store(record_.number, std::memory_order_release);
  report_store(options_.now_us());
  publish(record_, {});
}

Committer::~Committer() { stop(); }

void Committer::start(std::function<void(std::exception_ptr)> failed) {
  thread_ = std::thread([this, failed = std::move(failed)] {
    ::pthread_setname_np(::pthread_self(), "store");
    try {
      run();
    } catch (...) {
      failed(std::current_exception());
    }
  });
}

void Committer::stop() {
  {
    const std::lock_guard lock(delivered_mutex_);
    stopping_ = true;
  }
  delivered_changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Committer::deliver(std::unique_ptr<ShardChanges> changes) {
  {
    const std::lock_guard lock(delivered_mutex_);
    delivered_.push_back(std::move(changes));
    if (delivered_.size() < options_.shards) return;
  }
  delivered_changed_.notify_one();
}

void Committer::run() {
  for (;;) {
    Delivery delivery;
    {
      std::unique_lock lock(delivered_mutex_);
      delivered_changed_.wait(lock,
                              [&] { return delivered_.size() == options_.shards || stopping_; });
      if (delivered_.size() != options_.shards) return;
      delivery.swap(delivered_);
    }
    commit(delivery);
  }
}

void Committer::commit(Delivery& delivery) {
  const std::int64_t started_us = options_.now_us();
  const Mark& mark = *delivery.front()->mark;
  const std::int64_t watermark_s = mark.watermark_us / tally::kMicrosPerSecond;

  store::Commit commit;
  for (const auto& changes : delivery) totals_.apply(changes->cells, watermark_s);
  for (const std::int64_t day : mark.days_closed) {
    store::DayClosed& closed = commit.days.emplace_back();
    closed.day = day;
    closed.closing = totals_.close_day(day);
    closed.head.method = geo::kMethod;
  }
  totals_.expire(watermark_s);
  commit.totals = &totals_;

  for (const Gap& gap : mark.gaps) {
    record_.gaps += 1;
    record_.gap_us += gap.to_us - gap.from_us;
    gaps_.push_back(gap);
  }
  commit.gaps = mark.gaps;
  for (store::DayClosed& closed : commit.days) closed.head.gap_us = missed_us(closed.day);
  correct_closed_days(mark, commit);

  record_.number = mark.number;
  record_.edge_us = mark.edge_us;
  record_.watermark_us = mark.watermark_us;
  record_.observed_since_us = mark.observed_since_us;
  record_.ingested_until_us = mark.ingested_until_us;
  record_.next_day_to_close = mark.next_day_to_close;
  record_.cursor = mark.cursor;
  record_.network = kNetwork;
  record_.method = geo::kMethod;
  // Classes are not counted here: those of an earlier program are not these accounts' any more.
  record_.class_function = 0;
  record_.committed_at_us = started_us;
  commit.record = record_;

  raise_base(delivery, commit);
  take_accounts(delivery, commit);
  write(commit);
  totals_.clear_touched();
  const std::int64_t longest_us = tally::kTooOldSeconds * tally::kMicrosPerSecond;
  std::erase_if(gaps_, [&](const Gap& gap) { return gap.to_us < mark.watermark_us - longest_us; });
  publish(record_, mark.suspicions);
  committed_.store(mark.number, std::memory_order_release);
  if (options_.on_commit) options_.on_commit();

  const std::int64_t done_us = options_.now_us();
  metrics_.store_committed(done_us - started_us, done_us);
  metrics_.feed_cursor(mark.cursor_time_us);
  if (done_us - started_us > kSlowCommit_us) {
    log_.write(log::Event::kStoreCommitSlow, {{"duration_ms", (done_us - started_us) / 1'000},
                                              {"commit", mark.number},
                                              {"accounts", commit.accounts.size()}});
  }
  rewriter_.committed(delivery);
  report_store(done_us);
  answer_backup();
}

// Shards own ascending ranges of keys: in their order everything is sorted.
void Committer::take_accounts(Delivery& delivery, store::Commit& commit) {
  std::sort(delivery.begin(), delivery.end(), [](const auto& a, const auto& b) {
    const tally::AccountKey first_a = a->accounts.empty() ? 0 : a->accounts.front().key;
    const tally::AccountKey first_b = b->accounts.empty() ? 0 : b->accounts.front().key;
    return first_a < first_b;
  });
  if (delivery.size() == 1) {
    commit.accounts = std::move(delivery.front()->accounts);
  } else {
    std::size_t accounts = 0;
    for (const auto& changes : delivery) accounts += changes->accounts.size();
    commit.accounts.reserve(accounts);
  }
  for (const auto& changes : delivery) {
    const std::vector<store::AccountChange> own = std::move(changes->accounts);
    commit.accounts.insert(commit.accounts.end(), own.begin(), own.end());
    commit.due.insert(commit.due.end(), changes->due.begin(), changes->due.end());
    commit.due_done.insert(commit.due_done.end(), changes->due_done.begin(),
                           changes->due_done.end());
  }
}

// Posts of the past are in the totals, and counters for Prometheus do not move.
void Committer::raise_base(const Delivery& delivery, store::Commit& commit) {
  for (const auto& changes : delivery) {
    for (std::size_t i = 0; i < Country::count(); ++i) {
      const std::uint64_t posts = changes->cells.countries()[i].base_posts;
      if (posts == 0) continue;
      base_.posts[i] += posts;
      commit.base = &base_;
    }
  }
}

// `geotally backup` takes what stands here: between two commits, so that log and files agree.
void Committer::answer_backup() {
  const std::optional<std::string> failure = store_.answer_backup();
  if (!failure) return;
  if (failure->empty()) {
    log_.write(log::Event::kStoreCheckpoint, {{"commit", record_.number}});
  } else {
    log_.write(log::Event::kStoreCheckpointFailed, {{"error", *failure}});
  }
}

// How much of a UTC day was missed: its stretch minus what was covered of it.
std::int64_t Committer::missed_us(std::int64_t day) const {
  const std::int64_t start_us = day * kDay_us;
  const std::int64_t last_us = start_us + kDay_us - 1;
  const tally::Observed whole{start_us, last_us + 1};
  return (last_us - start_us) - tally::coverage_us(tally::kDaySeconds, last_us, whole, gaps_);
}

// A gap becomes certain a minute after the first event behind it, and that event has closed the
// days before it already: their rows learn now what was missed of them.
void Committer::correct_closed_days(const Mark& mark, store::Commit& commit) {
  std::set<std::int64_t> days;
  for (const Gap& gap : mark.gaps) {
    const std::int64_t end = std::min((gap.to_us - 1) / kDay_us + 1, mark.next_day_to_close);
    for (std::int64_t day = gap.from_us / kDay_us; day < end; ++day) days.insert(day);
  }
  for (const store::DayClosed& closed : commit.days) days.erase(closed.day);
  for (const std::int64_t day : days) {
    for (store::Store::StoredDay& stored : store_.days(day, day)) {
      store::DayClosed& again = commit.days.emplace_back();
      again.day = day;
      again.closing = std::move(stored.closing);
      again.head = stored.head;
      again.head.gap_us = std::max(stored.head.gap_us, missed_us(day));
    }
  }
}

// A disk that is full or fails does not lose anything: nothing new is shown, the queues fill, the
// socket is not read, and the same commit is tried until it succeeds.
void Committer::write(const store::Commit& commit) {
  for (;;) {
    try {
      store_.commit(commit);
      failing_.store(false, std::memory_order_relaxed);
      return;
    } catch (const store::IoError& error) {
      failing_.store(true, std::memory_order_relaxed);
      metrics_.store_commit_failed();
      log_.write(log::Event::kStoreCommitFailed,
                 {{"error", error.what()}, {"commit", commit.record.number}});
    }
    {
      std::unique_lock lock(delivered_mutex_);
      if (delivered_changed_.wait_for(lock, kRetryAfter, [&] { return stopping_; })) {
        throw store::IoError("the last changes could not be committed; they will be read again");
      }
    }
    // Unsuccessful, the next attempt fails as well and says why.
    static_cast<void>(store_.resume());
  }
}

void Committer::publish(const store::CommitRecord& record, const std::vector<Gap>& suspicions) {
  std::vector<Gap> missing = gaps_;
  missing.insert(missing.end(), suspicions.begin(), suspicions.end());
  auto snapshot = snapshot_of(record, base_, totals_, options_.windows, missing);
  const std::lock_guard lock(snapshot_mutex_);
  snapshot_ = std::move(snapshot);
}

std::shared_ptr<const tally::Snapshot> Committer::snapshot() const {
  const std::lock_guard lock(snapshot_mutex_);
  return snapshot_;
}

void Committer::report_store(std::int64_t now_us) {
  if (now_us - reported_us_ < kReportStoreEvery_us) return;
  reported_us_ = now_us;
  const store::Health health = store_.health();
  metrics_.store({.sst_bytes = health.sst_bytes,
                  .memtable_bytes = health.memtable_bytes,
                  .block_cache_bytes = health.block_cache_bytes,
                  .compaction_pending_bytes = health.compaction_pending_bytes,
                  .background_errors = health.background_errors,
                  .filesystem_avail_bytes = health.filesystem_avail_bytes,
                  .write_stopped = health.write_stopped});
}

}  // namespace geotally::pipeline
