// What the process says of itself on /metrics, by verbs: callers say what
// happened, the families and their names are known here only. (The figures per
// country are country_page.h's.)
//
// Every series that can be is there from the start, as 0. All counters start
// at 0 with the process.
#pragma once

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

  // Events. `kind`: accepted ones only, so events + rejected + dropped = everything.
  void event(EventKind kind, std::uint64_t n = 1);
  void rejected(Rejection reason, std::uint64_t n = 1);
  void dropped(Drop reason, std::uint64_t n = 1);
  void fence_overflow(std::uint64_t n = 1);
  /// Posts of a repository told again whose keys did not rise (DEFINITIONS: Told rows).
  void told_out_of_order(std::uint64_t n);
  /// Wall clock minus event time of `n` events; negative counts as 0.
  void event_delay(std::int64_t delay_us, std::uint64_t n = 1);
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
