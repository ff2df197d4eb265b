// The feed's end of the pipeline: decodes frames, judges their times, routes what
// counts to the shards, and cuts the feed into marks.
//
// Everything here runs on the thread "io". When shards or the disk are behind, the
// calls take longer: the socket is not read meanwhile, and nothing is dropped.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "event/event.h"
#include "feed/dialect.h"
#include "feed/position.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "pipeline/batch.h"
#include "pipeline/horizon.h"
#include "pipeline/sampler.h"
#include "pipeline/shard.h"
#include "store/store.h"

namespace geotally::pipeline {

struct IngestOptions {
  ClockMode clock = ClockMode::kWall;
  std::int64_t commit_interval_us = 1'000'000;
  std::uint64_t seed = 0;                ///< of account keys: the store's
  std::function<std::int64_t()> now_us;  ///< wall clock
  std::function<void()> reopen;          ///< read the feed again from the position
  std::function<void()> alive;           ///< called now and then, also while waiting
  std::function<bool()> stuck;           ///< commits fail: the end does not wait for them
};

class Ingest {
 public:
  /// Goes on from `last`. References must outlive the ingest; `committed` is the committer's.
  Ingest(IngestOptions options, const store::CommitRecord& last, feed::Dialect& dialect,
         feed::Position& position, std::vector<Shard*> shards,
         const std::atomic<std::uint64_t>& committed, metrics::Metrics& metrics, log::Logger& log);
  ~Ingest();

  void frame(feed::Frame frame);
  /// Everything that was read has been handed over: a mark that is due goes out.
  void drained();
  void rejected(Rejection reason);
  /// The connection came up or went down.
  void connected(bool connected);

  /// Erases an account at once: of it only the fence stays, until no replay can reach it. The
  /// number of the commit with which that is durable. May wait for shards, as frame() does.
  std::uint64_t forget(std::string_view did);

  /// To be called every 100 ms or so, whatever the feed does: sends the mark that is due.
  void tick();
  /// The last mark, and the last batch of every shard. Nothing may follow. While commits fail
  /// there is no such mark: what is not committed will be read again after the next start.
  void finish();

  [[nodiscard]] std::int64_t watermark_us() const { return horizon_.watermark_us(); }

 private:
  void take(const Event& event, bool counts);
  void noticed();
  void ignored(std::uint16_t fields);
  void route(const Event& event, tally::AccountKey account);
  Batch& batch(std::size_t shard);
  void hand_over(std::size_t shard);
  void push(std::size_t shard);
  void relieve();
  void wait_for_commit();
  void close_days_until(std::int64_t day);
  void send_mark(std::vector<std::int64_t> days_closed);
  void report();
  template <typename Done>
  void nap_until(Done done);

  // Constant after construction.
  const IngestOptions options_;
  feed::Dialect& dialect_;
  feed::Position& position_;
  const std::vector<Shard*> shards_;
  const std::atomic<std::uint64_t>& committed_;
  metrics::Metrics& metrics_;
  log::Logger& log_;

  Event event_;
  Horizon horizon_;
  TextGate texts_;
  std::vector<Batch*> current_;  // by shard; null = none begun
  std::int64_t wall_us_ = 0;     // read with the first frame of a drain, and now and then after it
  std::uint64_t frames_until_clock_ = 0;
  bool connected_ = false;
  bool reopening_ = false;  // a future time was confirmed; what still comes will come again
  std::int64_t observed_since_us_ = 0;
  std::int64_t next_day_to_close_ = 0;
  std::uint64_t last_mark_ = 0;
  std::int64_t last_mark_at_us_ = 0;
  std::int64_t last_tick_us_ = 0;
  std::int64_t silent_us_ = 0;       // since the last event, as the ticks have felt it
  std::int64_t lived_until_us_ = 0;  // the newest event, and what the ticks have felt since

  // Since the last report().
  std::array<std::uint64_t, kRejections> rejected_{};
  std::array<std::uint64_t, kDrops> dropped_{};
  std::array<std::uint64_t, kNotices> notices_{};
  std::array<std::uint64_t, kEventFields> ignored_{};
  metrics::EventDelays delays_;
  std::uint64_t events_ = 0;
};

}  // namespace geotally::pipeline
