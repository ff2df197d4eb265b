// What the process says of itself on /metrics, by verbs: callers say what
// happened, the families and their names are known here only. (The figures per
// country are country_page.h's.)
//
// Every series that can be is there from the start, as 0. All counters start
// at 0 with the process.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "event/event.h"
#include "event/evidence_kind.h"

namespace geotally::log {
class Logger;
}

namespace geotally::metrics {

/// Words that another module owns, and that this one may not include. Static texts.
struct FeedReasons {
  std::vector<std::string_view> connect_failures;  ///< label values: "dns", "tcp", …
  std::vector<std::string_view> disconnects;
};

/// Why the admin server turned somebody away. Closed: the names are labels.
enum class HttpRejection : std::uint8_t {
  kConnectionsMax,  ///< no room for another connection
  kMalformed,       ///< not HTTP
  kHeaderTooLarge,
  kBody,          ///< a request with a body
  kTimeout,       ///< a request not sent, or an answer not taken, in time
  kHost,          ///< a Host that is not allowed
  kUnauthorized,  ///< no token, or another
};
inline constexpr std::size_t kHttpRejections = 7;
[[nodiscard]] std::string_view to_string(HttpRejection reason);

/// Routes of the admin server. Closed: the names are labels.
enum class Handler : std::uint8_t {
  kHealthz,
  kReadyz,
  kMetrics,
  kMetricsCountries,
  kApiRankings,
  kApiCities,
  kApiCountries,
  kApiHistory,
  kApiGaps,
  kApiStatus,
  kApiForget,
  kPage,   ///< what a person's browser loads
  kOther,  ///< no such route, or refused before one was looked for
};
inline constexpr std::size_t kHandlers = 13;
[[nodiscard]] std::string_view to_string(Handler handler);

/// What the store knows of itself, in bytes where nothing else is said.
struct StoreFigures {
  std::uint64_t sst_bytes = 0;
  std::uint64_t memtable_bytes = 0;
  std::uint64_t block_cache_bytes = 0;
  std::uint64_t compaction_pending_bytes = 0;
  std::uint64_t background_errors = 0;
  std::uint64_t filesystem_avail_bytes = 0;
  bool write_stopped = false;
};

struct BuildInfo {
  std::string version;
  std::string revision;
};

/// Delays of many events, gathered to be said at once: one more costs two comparisons and two
/// additions, since it nearly always belongs where the last one did. Not thread-safe.
class EventDelays {
 public:
  static constexpr std::array<std::int64_t, 11> kBounds_us = {
      100'000,    250'000,    500'000,    1'000'000,   2'500'000,  5'000'000,
      10'000'000, 30'000'000, 60'000'000, 120'000'000, 300'000'000};

  /// Wall clock minus event time of one event; negative counts as 0.
  void add(std::int64_t delay_us) {
    delay_us = std::max<std::int64_t>(delay_us, 0);
    if (delay_us <= above_us_ || delay_us > up_to_us_) find(delay_us);
    ++counts_[bucket_];
    sum_us_ += static_cast<double>(delay_us);
  }
  void clear() {
    counts_ = {};
    sum_us_ = 0;
  }

 private:
  friend class Metrics;
  void find(std::int64_t delay_us);

  std::array<std::uint64_t, kBounds_us.size() + 1> counts_{};  // the last: beyond all bounds
  double sum_us_ = 0;  // a replay of years would be too much for 64 bits of microseconds
  // The bucket of the last one, and what belongs into it.
  std::size_t bucket_ = 0;
  std::int64_t above_us_ = -1;
  std::int64_t up_to_us_ = kBounds_us[0];
};

/// Thread-safe throughout: every verb is one or two relaxed atomic additions,
/// none of them blocks or allocates. Callers with much to say add it up and say
/// it once a batch. Must outlive whoever holds a reference.
class Metrics {
 public:
  /// `start_us`: wall clock at the start of the process, microseconds since the epoch
  /// (a sandbox may hide /proc/stat).
  /// `log` is asked for its counts at each page(); it must outlive this.
  Metrics(BuildInfo build, std::int64_t start_us, FeedReasons reasons, const log::Logger& log);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The feed. Times are microseconds since the epoch.
  void feed_connected();
  /// Reasons are among those that the constructor was given.
  void feed_disconnected(std::string_view reason);
  void feed_connect_failed(std::string_view reason);
  /// `messages` and `bytes` more than the last time; `last_at_us`: wall clock of the newest.
  void feed_received(std::uint64_t messages, std::uint64_t bytes, std::int64_t last_at_us);
  void feed_last_event(std::int64_t event_time_us);
  void feed_cursor(std::int64_t event_time_us);

  // Events. `kind`: accepted ones only, so events + rejected + dropped + notices = everything.
  void event(EventKind kind, std::uint64_t n = 1);
  void rejected(Rejection reason, std::uint64_t n = 1);
  void dropped(Drop reason, std::uint64_t n = 1);
  void feed_notice(Notice notice, std::uint64_t n = 1);
  /// Of an event that counts all the same.
  void field_ignored(EventField field, std::uint64_t n = 1);
  void fence_overflow(std::uint64_t n = 1);
  /// Posts of a repository told again whose keys did not rise (DEFINITIONS: Told rows).
  void told_out_of_order(std::uint64_t n);
  void event_delays(const EventDelays& delays);
  /// Sum over all shards' queues.
  void ingest_queue(std::uint64_t events, std::uint64_t capacity_events);
  /// Accounts that counted in one country and now count in another, ZZ included.
  void account_moved(std::uint64_t n);
  void account_resolved(EvidenceKind evidence, std::uint64_t n = 1);

  // The store.
  void store_committed(std::int64_t duration_us, std::int64_t at_us);
  void store_commit_failed();
  void store(const StoreFigures& figures);

  // The admin server.
  void http_answered(Handler handler, unsigned code, std::int64_t duration_us);
  void http_rejected(HttpRejection reason);
  void http_connections(std::uint64_t open);

  // Configuration: at the start, and at each reload.
  void config_loaded(bool ok, std::int64_t at_us);

  /// The page, in the text format 0.0.4. Reads /proc/self.
  [[nodiscard]] std::string page() const;

 private:
  struct Values;
  const BuildInfo build_;
  const std::int64_t start_us_;
  const FeedReasons reasons_;
  const log::Logger& log_;
  const std::unique_ptr<Values> values_;
};

}  // namespace geotally::metrics
