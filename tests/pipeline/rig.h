// A whole pipeline over a real store in a real directory; only the network is missing: the test
// hands frames to the ingest as the connection would, on its own thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feed/dialect.h"
#include "feed/position.h"
#include "geo/resolver.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "pipeline/pipeline.h"
#include "store/store.h"
#include "support/jetstream_line.h"

namespace geotally::pipeline {

/// Feeds that must be long to be worth anything are this much shorter under a sanitizer.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr std::size_t kShorter = 5;
#else
inline constexpr std::size_t kShorter = 1;
#endif

struct RigOptions {
  std::string directory;
  std::size_t shards = 2;
  std::size_t memory_bytes = std::size_t{64} << 20;
  ClockMode clock = ClockMode::kFeed;
  /// 0 = a mark may go out with every tick.
  std::int64_t commit_interval_us = 0;
  std::int64_t erase_deleted_days = 30;
  std::int64_t fence_horizon_s = 60;
  double threshold = 2;  ///< above 1: only declared countries count
  std::vector<tally::Window> windows = tally::default_windows();
  std::int64_t wall_us = 0;  ///< what the wall clock says at first
  rocksdb::Env* env = nullptr;
  bool connect = true;
  feed::Wire wire = feed::Wire::kJetstreamV1;
  int log_descriptor = -1;  ///< -1 = the log goes nowhere
  std::function<void(std::exception_ptr)> failed;  ///< default: abort
};

/// All calls on one thread.
class Rig {
 public:
  explicit Rig(const RigOptions& options);
  /// Stops in order, unless stop() or abandon() was called.
  ~Rig();

  /// Hands one message to the ingest.
  void feed(std::string_view message);
  void feed(const support::Line& line);
  /// Hands lines over as a connection does: in reads of a few hundred, each ended by drained().
  void feed(std::span<const support::Line> lines);
  void drained();
  void tick();
  /// Moves the wall clock on as the daemon would live through it: in steps with a tick each.
  void pass(std::int64_t time_us);
  /// Until all that was fed is in a commit. Needs commit_interval_us == 0.
  void settle();
  /// Until commit `number` is shown.
  void await_commit(std::uint64_t number);
  void stop();

  /// Where a server would begin again after a reconnect: index of the first of `lines`.
  [[nodiscard]] std::size_t resume_at(std::span<const support::Line> lines) const;
  void reconnect(std::string_view host = "test:1");

  [[nodiscard]] std::shared_ptr<const tally::Snapshot> snapshot() const {
    return pipeline_->snapshot();
  }
  [[nodiscard]] std::uint64_t committed() const { return pipeline_->committer().committed(); }
  /// A sample of the metrics page, by its whole name and labels; 0 when it is not there.
  [[nodiscard]] double metric(std::string_view sample) const;
  [[nodiscard]] double counted() const;  ///< geotally_events_total over all kinds
  [[nodiscard]] double dropped(std::string_view reason) const;
  [[nodiscard]] double rejected() const;
  /// Of all messages: in how many counters they ended, over all kinds, reasons and names.
  [[nodiscard]] double accounted_for() const;

  std::atomic<std::int64_t> wall_us;
  std::uint64_t reopened = 0;  ///< how often the ingest asked for it
  [[nodiscard]] store::Store& store() { return *store_; }
  [[nodiscard]] feed::Position& position() { return position_; }
  [[nodiscard]] Pipeline& pipeline() { return *pipeline_; }
  [[nodiscard]] Ingest& ingest() { return pipeline_->ingest(); }

 private:
  const RigOptions options_;
  int null_;
  log::Logger log_;
  metrics::Metrics metrics_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<feed::Dialect> dialect_;
  feed::Position position_;
  std::unique_ptr<Pipeline> pipeline_;
  std::string buffer_;  // the frame and its padding
  std::uint64_t seq_;   // v2: of the last message
  bool stopped_ = false;
};

/// The resolver that all tests share: its tables take a while to load.
[[nodiscard]] const geo::Resolver& resolver(double threshold);

/// Waits without an assumption about time: until `done`, or until the test's own limit ends it.
void await(const std::function<bool()>& done);

}  // namespace geotally::pipeline
