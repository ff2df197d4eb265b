#include "metrics/metrics.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <map>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "base/check.h"
#include "log/log.h"
#include "metrics/process.h"

namespace geotally::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// The library's own counters add doubles in a compare-and-swap loop and its registry takes a
// lock; these are one relaxed addition. The library writes the page.
class Counter {
 public:
  void add(std::uint64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] double get() const {
    return static_cast<double>(value_.load(std::memory_order_relaxed));
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

template <class T>
class Gauge {
 public:
  void set(T value) { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] double get() const {
    return static_cast<double>(value_.load(std::memory_order_relaxed));
  }

 private:
  std::atomic<T> value_{};
};

/// Seconds since the epoch from microseconds.
class TimeGauge {
 public:
  void set(std::int64_t time_us) { value_.set(time_us); }
  [[nodiscard]] double get() const { return value_.get() / 1e6; }

 private:
  Gauge<std::int64_t> value_;
};

template <std::size_t N>
class Histogram {
 public:
  explicit Histogram(const std::array<double, N>& bounds_s) : bounds_s_(bounds_s) {
    for (std::size_t i = 0; i < N; ++i) {
      bounds_us_[i] = static_cast<std::int64_t>(bounds_s[i] * 1e6);
    }
  }
  void observe(std::int64_t value_us, std::uint64_t n) {
    value_us = std::max<std::int64_t>(value_us, 0);
    std::size_t bucket = 0;
    while (bucket < N && value_us > bounds_us_[bucket]) ++bucket;
    counts_[bucket].fetch_add(n, std::memory_order_relaxed);
    sum_us_.fetch_add(static_cast<double>(value_us) * static_cast<double>(n),
                      std::memory_order_relaxed);
  }
  void add(const std::array<std::uint64_t, N + 1>& counts, double sum_us) {
    for (std::size_t i = 0; i <= N; ++i) {
      if (counts[i] != 0) counts_[i].fetch_add(counts[i], std::memory_order_relaxed);
    }
    sum_us_.fetch_add(sum_us, std::memory_order_relaxed);
  }
  [[nodiscard]] ClientMetric get() const {
    ClientMetric metric;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i <= N; ++i) {
      total += counts_[i].load(std::memory_order_relaxed);
      metric.histogram.bucket.push_back(
          {total, i < N ? bounds_s_[i] : std::numeric_limits<double>::infinity()});
    }
    metric.histogram.sample_count = total;  // from the buckets, so that they always agree
    metric.histogram.sample_sum = sum_us_.load(std::memory_order_relaxed) / 1e6;
    return metric;
  }

 private:
  const std::array<double, N>& bounds_s_;
  std::array<std::int64_t, N> bounds_us_{};
  std::array<std::atomic<std::uint64_t>, N + 1> counts_{};
  std::atomic<double> sum_us_{0};
};

constexpr auto kDelayBounds = [] {
  std::array<double, EventDelays::kBounds_us.size()> bounds_s{};
  std::ranges::transform(EventDelays::kBounds_us, bounds_s.begin(),
                         [](std::int64_t us) { return static_cast<double>(us) / 1e6; });
  return bounds_s;
}();
constexpr std::array kCommitBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2,
                                      0.25,  0.3,    0.4,   0.5,  1.0,   2.5,  5.0, 10.0, 30.0};
constexpr std::array kHttpBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5};

#ifdef __clang__
constexpr const char* kCompiler = __VERSION__;  // names itself
#else
constexpr const char* kCompiler = "g++ " __VERSION__;
#endif

/// Codes that the admin server answers with; each handler shows those of its own from the start.
constexpr std::array<unsigned, 12> kCodes = {200, 304, 400, 401, 404, 405,
                                             413, 421, 431, 500, 503, 504};

std::size_t code_place(unsigned code) {
  const auto found = std::ranges::find(kCodes, code);
  return found == kCodes.end() ? kCodes.size() : static_cast<std::size_t>(found - kCodes.begin());
}

/// Whether a scrape should see `code` of `handler` before it happened.
bool expected(Handler handler, unsigned code) {
  switch (handler) {
    case Handler::kHealthz:
      return code == 200;
    case Handler::kReadyz:
      return code == 200 || code == 503;
    case Handler::kMetrics:
      return code == 200;
    case Handler::kMetricsCountries:
      return code == 200 || code == 503;
    case Handler::kApiForget:
      return code == 200 || code == 400 || code == 503 || code == 504;
    case Handler::kPage:
      return code == 200 || code == 304;
    case Handler::kOther:
      return code == 400 || code == 401 || code == 404 || code == 405 || code == 413 ||
             code == 421 || code == 431;
    default:
      return code == 200 || code == 304 || code == 400 || code == 503;
  }
}

/// Fills families in the order of the page.
class Page {
 public:
  void counter(const char* name, const char* help, double value) {
    ClientMetric& metric = add(name, help, MetricType::Counter);
    metric.counter.value = value;
  }
  void gauge(const char* name, const char* help, double value) {
    ClientMetric& metric = add(name, help, MetricType::Gauge);
    metric.gauge.value = value;
  }
  void histogram(const char* name, const char* help, ClientMetric value) {
    add(name, help, MetricType::Histogram) = std::move(value);
  }
  /// One more series of the last family.
  void with(std::vector<ClientMetric::Label> labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (families_.back().type == MetricType::Counter ? metric.counter.value : metric.gauge.value) =
        value;
    families_.back().metric.push_back(std::move(metric));
  }
  void with(std::vector<ClientMetric::Label> labels, ClientMetric histogram) {
    histogram.label = std::move(labels);
    families_.back().metric.push_back(std::move(histogram));
  }
  void family(const char* name, const char* help, MetricType type) {
    families_.push_back({name, help, type, {}});
  }
  /// One counter for each member of a closed enum.
  template <class Enum, std::size_t N>
  void counters(const char* name, const char* help, const char* label,
                const std::array<Counter, N>& values) {
    family(name, help, MetricType::Counter);
    for (std::size_t i = 0; i < N; ++i) {
      with({{label, std::string(to_string(static_cast<Enum>(i)))}}, values[i].get());
    }
  }
  void counters(const char* name, const char* help, const char* label,
                const std::vector<std::string_view>& words, const std::vector<Counter>& values) {
    family(name, help, MetricType::Counter);
    for (std::size_t i = 0; i < words.size(); ++i) {
      with({{label, std::string(words[i])}}, values[i].get());
    }
  }
  [[nodiscard]] std::string text() const {
    return prometheus::TextSerializer{}.prometheus::Serializer::Serialize(families_);
  }

 private:
  ClientMetric& add(const char* name, const char* help, MetricType type) {
    family(name, help, type);
    return families_.back().metric.emplace_back();
  }
  std::vector<MetricFamily> families_;
};

std::size_t place_of(const std::vector<std::string_view>& words, std::string_view word) {
  const auto found = std::ranges::find(words, word);
  GEOTALLY_CHECK(found != words.end(), "a reason that the constructor was not told of");
  return static_cast<std::size_t>(found - words.begin());
}

}  // namespace

struct Metrics::Values {
  explicit Values(const FeedReasons& reasons)
      : connect_failures(reasons.connect_failures.size()), disconnects(reasons.disconnects.size()) {
    http_durations.reserve(kHandlers);
    for (std::size_t i = 0; i < kHandlers; ++i) {
      http_durations.push_back(std::make_unique<Histogram<kHttpBounds.size()>>(kHttpBounds));
    }
  }

  Gauge<bool> feed_connected;
  Counter feed_connects;
  std::vector<Counter> connect_failures;
  std::vector<Counter> disconnects;
  Counter feed_bytes;
  Counter feed_messages;
  TimeGauge feed_last_message;
  TimeGauge feed_last_event;
  TimeGauge feed_cursor;

  std::array<Counter, kEventKinds> events;
  std::array<Counter, kRejections> rejected;
  std::array<Counter, kDrops> dropped;
  std::array<Counter, kNotices> notices;
  std::array<Counter, kEventFields> fields_ignored;
  Counter fence_overflows;
  Counter told_out_of_order;
  Histogram<kDelayBounds.size()> event_delay{kDelayBounds};
  Gauge<std::uint64_t> queue_events;
  Gauge<std::uint64_t> queue_capacity;
  std::array<Counter, kEvidenceKinds> resolved;
  Counter moved;

  Histogram<kCommitBounds.size()> commits{kCommitBounds};
  Counter commit_errors;
  TimeGauge last_commit;
  Gauge<std::uint64_t> sst_bytes;
  Gauge<std::uint64_t> memtable_bytes;
  Gauge<std::uint64_t> block_cache_bytes;
  Gauge<std::uint64_t> compaction_pending_bytes;
  Gauge<std::uint64_t> background_errors;
  Gauge<std::uint64_t> filesystem_avail_bytes;
  Gauge<bool> write_stopped;

  std::array<std::array<Counter, kCodes.size() + 1>, kHandlers> http_requests;
  std::vector<std::unique_ptr<Histogram<kHttpBounds.size()>>> http_durations;
  Gauge<std::uint64_t> http_connections;
  std::array<Counter, kHttpRejections> http_rejected;

  Gauge<bool> reload_ok;
  TimeGauge reload_at;
};

std::string_view to_string(HttpRejection reason) {
  switch (reason) {
    case HttpRejection::kConnectionsMax:
      return "connections_max";
    case HttpRejection::kMalformed:
      return "malformed";
    case HttpRejection::kHeaderTooLarge:
      return "header_too_large";
    case HttpRejection::kBody:
      return "body";
    case HttpRejection::kTimeout:
      return "timeout";
    case HttpRejection::kHost:
      return "host";
    case HttpRejection::kUnauthorized:
      return "unauthorized";
  }
  return "";
}

std::string_view to_string(Handler handler) {
  switch (handler) {
    case Handler::kHealthz:
      return "healthz";
    case Handler::kReadyz:
      return "readyz";
    case Handler::kMetrics:
      return "metrics";
    case Handler::kMetricsCountries:
      return "metrics_countries";
    case Handler::kApiCities:
      return "api_cities";
    case Handler::kApiRankings:
      return "api_rankings";
    case Handler::kApiCountries:
      return "api_countries";
    case Handler::kApiHistory:
      return "api_history";
    case Handler::kApiGaps:
      return "api_gaps";
    case Handler::kApiStatus:
      return "api_status";
    case Handler::kApiForget:
      return "api_forget";
    case Handler::kPage:
      return "page";
    case Handler::kOther:
      return "other";
  }
  return "";
}

Metrics::Metrics(BuildInfo build, std::int64_t start_us, FeedReasons reasons,
                 const log::Logger& log)
    : build_(std::move(build)),
      start_us_(start_us),
      reasons_(std::move(reasons)),
      log_(log),
      values_(std::make_unique<Values>(reasons_)) {}

Metrics::~Metrics() = default;

void EventDelays::find(std::int64_t delay_us) {
  const auto bound = std::ranges::lower_bound(kBounds_us, delay_us);
  bucket_ = static_cast<std::size_t>(bound - kBounds_us.begin());
  above_us_ = bucket_ == 0 ? -1 : kBounds_us[bucket_ - 1];
  up_to_us_ = bucket_ == kBounds_us.size() ? INT64_MAX : kBounds_us[bucket_];
}

void Metrics::feed_connected() {
  values_->feed_connected.set(true);
  values_->feed_connects.add(1);
}

void Metrics::feed_disconnected(std::string_view reason) {
  values_->feed_connected.set(false);
  values_->disconnects[place_of(reasons_.disconnects, reason)].add(1);
}

void Metrics::feed_connect_failed(std::string_view reason) {
  values_->connect_failures[place_of(reasons_.connect_failures, reason)].add(1);
}

void Metrics::feed_received(std::uint64_t messages, std::uint64_t bytes, std::int64_t last_at_us) {
  values_->feed_messages.add(messages);
  values_->feed_bytes.add(bytes);
  values_->feed_last_message.set(last_at_us);
}

void Metrics::feed_last_event(std::int64_t event_time_us) {
  values_->feed_last_event.set(event_time_us);
}

void Metrics::feed_cursor(std::int64_t event_time_us) { values_->feed_cursor.set(event_time_us); }

void Metrics::event(EventKind kind, std::uint64_t n) {
  values_->events[static_cast<std::size_t>(kind)].add(n);
}

void Metrics::rejected(Rejection reason, std::uint64_t n) {
  values_->rejected[static_cast<std::size_t>(reason)].add(n);
}

void Metrics::dropped(Drop reason, std::uint64_t n) {
  values_->dropped[static_cast<std::size_t>(reason)].add(n);
}

void Metrics::fence_overflow(std::uint64_t n) { values_->fence_overflows.add(n); }
void Metrics::told_out_of_order(std::uint64_t n) { values_->told_out_of_order.add(n); }

void Metrics::feed_notice(Notice notice, std::uint64_t n) {
  values_->notices[static_cast<std::size_t>(notice)].add(n);
}

void Metrics::field_ignored(EventField field, std::uint64_t n) {
  values_->fields_ignored[static_cast<std::size_t>(field)].add(n);
}

void Metrics::event_delays(const EventDelays& delays) {
  values_->event_delay.add(delays.counts_, delays.sum_us_);
}

void Metrics::ingest_queue(std::uint64_t events, std::uint64_t capacity_events) {
  values_->queue_events.set(events);
  values_->queue_capacity.set(capacity_events);
}

void Metrics::account_moved(std::uint64_t n) { values_->moved.add(n); }

void Metrics::account_resolved(EvidenceKind evidence, std::uint64_t n) {
  values_->resolved[static_cast<std::size_t>(evidence)].add(n);
}

void Metrics::store_committed(std::int64_t duration_us, std::int64_t at_us) {
  values_->commits.observe(duration_us, 1);
  values_->last_commit.set(at_us);
}

void Metrics::store_commit_failed() { values_->commit_errors.add(1); }

void Metrics::store(const StoreFigures& figures) {
  values_->sst_bytes.set(figures.sst_bytes);
  values_->memtable_bytes.set(figures.memtable_bytes);
  values_->block_cache_bytes.set(figures.block_cache_bytes);
  values_->compaction_pending_bytes.set(figures.compaction_pending_bytes);
  values_->background_errors.set(figures.background_errors);
  values_->filesystem_avail_bytes.set(figures.filesystem_avail_bytes);
  values_->write_stopped.set(figures.write_stopped);
}

void Metrics::http_answered(Handler handler, unsigned code, std::int64_t duration_us) {
  const auto place = static_cast<std::size_t>(handler);
  values_->http_requests[place][code_place(code)].add(1);
  values_->http_durations[place]->observe(duration_us, 1);
}

void Metrics::http_rejected(HttpRejection reason) {
  values_->http_rejected[static_cast<std::size_t>(reason)].add(1);
}

void Metrics::http_connections(std::uint64_t open) { values_->http_connections.set(open); }

void Metrics::config_loaded(bool ok, std::int64_t at_us) {
  values_->reload_ok.set(ok);
  if (ok) values_->reload_at.set(at_us);
}

// HELP texts are not escaped by the library: no line break and no backslash in them.
std::string Metrics::page() const {
  const Values& v = *values_;
  Page page;
  page.family("geotally_build_info", "What is running; always 1.", MetricType::Gauge);
  page.with({{"version", build_.version}, {"revision", build_.revision}, {"compiler", kCompiler}},
            1);

  page.gauge("geotally_feed_connected", "Whether the feed is connected.", v.feed_connected.get());
  page.counter("geotally_feed_connects_total", "Connections to the feed that were established.",
               v.feed_connects.get());
  page.counters("geotally_feed_connect_failures_total",
                "Attempts to connect to the feed that failed, by the step that did.", "reason",
                reasons_.connect_failures, v.connect_failures);
  page.counters("geotally_feed_disconnects_total", "Connections to the feed that ended, by reason.",
                "reason", reasons_.disconnects, v.disconnects);
  page.counter("geotally_feed_received_bytes_total",
               "Bytes received from the feed, after TLS and before decompression.",
               v.feed_bytes.get());
  page.counter("geotally_feed_messages_total", "Messages received from the feed.",
               v.feed_messages.get());
  page.gauge("geotally_feed_last_message_timestamp_seconds",
             "When the newest message arrived, by the wall clock; 0 = none yet.",
             v.feed_last_message.get());
  page.gauge("geotally_feed_last_event_timestamp_seconds",
             "Event time of the newest event; 0 = none yet.", v.feed_last_event.get());
  page.gauge("geotally_feed_cursor_timestamp_seconds",
             "Event time of the committed cursor; 0 = none yet.", v.feed_cursor.get());

  page.counters<Notice>("geotally_feed_notices_total",
                        "Messages in which the server spoke of itself, or that were of a kind that "
                        "we do not know, by name.",
                        "name", v.notices);

  page.counters<EventKind>("geotally_events_total", "Events that were accepted, by kind.", "kind",
                           v.events);
  page.counters<Rejection>("geotally_events_rejected_total",
                           "Messages that were no usable event, by reason.", "reason", v.rejected);
  page.counters<Drop>("geotally_events_dropped_total",
                      "Well-formed events that were not counted, by reason.", "reason", v.dropped);
  page.counters<EventField>("geotally_event_fields_ignored_total",
                            "Fields of events that were left out, because of their type or because "
                            "they name no country that we know, by field; the event counts.",
                            "field", v.fields_ignored);
  page.counter("geotally_fence_overflows_total",
               "Revisions that left an account's fence before its horizon.",
               v.fence_overflows.get());
  page.counter("geotally_told_out_of_order_total",
               "Posts of a repository told again that were refused because their keys did not rise.",
               v.told_out_of_order.get());
  page.histogram("geotally_event_delay_seconds",
                 "From event time to when the event was decoded, by the wall clock; of each event "
                 "whose time is neither future nor too old.",
                 v.event_delay.get());
  page.gauge("geotally_ingest_queue_events", "Events that wait for a shard.", v.queue_events.get());
  page.gauge("geotally_ingest_queue_capacity_events",
             "Events that may wait for a shard before the socket is no longer read.",
             v.queue_capacity.get());
  page.counters<EvidenceKind>("geotally_accounts_resolved_total",
                              "Accounts whose country was worked out, by what it rests on.",
                              "evidence", v.resolved);
  page.counter("geotally_accounts_moved_total",
               "Accounts that moved from one country to another on new evidence, ZZ included.",
               v.moved.get());

  page.histogram("geotally_store_commit_duration_seconds", "Time that a commit took.",
                 v.commits.get());
  page.counter("geotally_store_commit_errors_total", "Commits that failed.", v.commit_errors.get());
  page.gauge("geotally_store_last_commit_timestamp_seconds",
             "When the newest commit was durable; 0 = none yet.", v.last_commit.get());
  page.gauge("geotally_store_sst_bytes", "Table files of the store.", v.sst_bytes.get());
  page.gauge("geotally_store_memtable_bytes", "Memtables of the store.", v.memtable_bytes.get());
  page.gauge("geotally_store_block_cache_bytes", "Block cache of the store.",
             v.block_cache_bytes.get());
  page.gauge("geotally_store_compaction_pending_bytes",
             "What compactions still have to rewrite, as the store estimates it.",
             v.compaction_pending_bytes.get());
  page.gauge("geotally_store_write_stopped", "Whether the store takes no writes at the moment.",
             v.write_stopped.get());
  page.gauge("geotally_store_background_errors", "Errors of the store's background work.",
             v.background_errors.get());
  page.gauge("geotally_store_filesystem_avail_bytes",
             "Free space, for us, on the file system of the store.",
             v.filesystem_avail_bytes.get());

  page.family("geotally_http_requests_total", "Requests that were answered.", MetricType::Counter);
  for (std::size_t i = 0; i < kHandlers; ++i) {
    const auto handler = static_cast<Handler>(i);
    for (std::size_t c = 0; c <= kCodes.size(); ++c) {
      const double value = v.http_requests[i][c].get();
      const bool other = c == kCodes.size();
      if (value == 0 && (other || !expected(handler, kCodes[c]))) continue;
      page.with({{"handler", std::string(to_string(handler))},
                 {"code", other ? "other" : std::to_string(kCodes[c])}},
                value);
    }
  }
  page.family("geotally_http_request_duration_seconds",
              "From the end of a request to the end of its answer.", MetricType::Histogram);
  for (std::size_t i = 0; i < kHandlers; ++i) {
    page.with({{"handler", std::string(to_string(static_cast<Handler>(i)))}},
              v.http_durations[i]->get());
  }
  page.gauge("geotally_http_connections", "Connections that are open.", v.http_connections.get());
  page.counters<HttpRejection>("geotally_http_rejected_total",
                               "Connections and requests that were turned away, by reason.",
                               "reason", v.http_rejected);

  page.family("geotally_log_messages_total", "Lines that were logged, by level.",
              MetricType::Counter);
  for (std::size_t i = 0; i < log::kLevels; ++i) {
    const auto level = static_cast<log::Level>(i);
    page.with({{"level", std::string(log::to_string(level))}},
              static_cast<double>(log_.written(level)));
  }
  page.counter("geotally_log_messages_suppressed_total", "Lines that a rate limit held back.",
               static_cast<double>(log_.suppressed()));

  page.gauge("geotally_config_last_reload_successful",
             "Whether the newest configuration was taken (the start counts).", v.reload_ok.get());
  page.gauge("geotally_config_last_reload_success_timestamp_seconds",
             "When a configuration was last taken.", v.reload_at.get());

  const ProcessFigures process = process_figures();
  page.counter("process_cpu_seconds_total", "Processor time that was used.", process.cpu_seconds);
  page.gauge("process_start_time_seconds", "When the process started.",
             static_cast<double>(start_us_) / 1e6);
  page.gauge("process_resident_memory_bytes", "Resident memory.",
             static_cast<double>(process.resident_bytes));
  page.gauge("process_virtual_memory_bytes", "Virtual memory.",
             static_cast<double>(process.virtual_bytes));
  page.gauge("process_virtual_memory_max_bytes", "Limit on virtual memory.",
             process.virtual_bytes_max);
  page.gauge("process_threads", "Threads.", static_cast<double>(process.threads));
  page.gauge("process_open_fds", "Open file descriptors.", static_cast<double>(process.open_fds));
  page.gauge("process_max_fds", "Limit on open file descriptors.", process.fds_max);
  return page.text();
}

}  // namespace geotally::metrics
