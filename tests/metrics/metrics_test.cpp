// Goal: each verb moves its series and no other, every series is there as 0 before anything
// happened, and additions from many threads are not lost.
// Method: the page before and after; a golden page; Prometheus' linter.
#include "metrics/metrics.h"

#include <algorithm>
#include <map>
#include <regex>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "golden.h"
#include "log/log.h"

namespace geotally::metrics {
namespace {

constexpr std::int64_t kStartUs = 1'341'100'800'500'000;

class MetricsTest : public ::testing::Test {
 protected:
  log::Logger log_;
  Metrics metrics_{
      {"1.2.3", "abcdef0"}, kStartUs, {{"dns", "tcp"}, {"server_closed", "silent"}}, log_};
};

EventDelays delays_of(std::initializer_list<std::int64_t> delays_us) {
  EventDelays delays;
  for (const std::int64_t delay_us : delays_us) delays.add(delay_us);
  return delays;
}

/// Series → value; those of the process itself left out, they never stand still.
std::map<std::string, std::string> series_of(const std::string& page) {
  std::map<std::string, std::string> series;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#') || line.starts_with("process_")) continue;
    const std::size_t space = line.rfind(' ');
    series[line.substr(0, space)] = line.substr(space + 1);
  }
  return series;
}

TEST_F(MetricsTest, EverythingIsThereFromTheStartAsTheGoldenPageHasIt) {
  std::string page = metrics_.page();
  page = std::regex_replace(page, std::regex(R"re(compiler="[^"]*")re"), "compiler=\"…\"");
  page = std::regex_replace(page, std::regex(R"re((\nprocess_(?!start)[a-z_]*) [^\n]*)re"), "$1 …");
  expect_golden("process_page.prom", page);
}

TEST_F(MetricsTest, PassesTheLinterInSilence) { expect_lint_silent(metrics_.page()); }

TEST_F(MetricsTest, EachVerbMovesItsSeriesAndNoOther) {
  const std::vector<std::pair<std::function<void()>, std::map<std::string, std::string>>> verbs = {
      {[&] { metrics_.feed_connected(); },
       {{"geotally_feed_connected", "1"}, {"geotally_feed_connects_total", "1"}}},
      {[&] { metrics_.feed_disconnected("silent"); },
       {{"geotally_feed_connected", "0"},
        {"geotally_feed_disconnects_total{reason=\"silent\"}", "1"}}},
      {[&] { metrics_.feed_connect_failed("dns"); },
       {{"geotally_feed_connect_failures_total{reason=\"dns\"}", "1"}}},
      {[&] { metrics_.feed_received(3, 1'500, 1'341'100'801'250'000); },
       {{"geotally_feed_messages_total", "3"},
        {"geotally_feed_received_bytes_total", "1500"},
        {"geotally_feed_last_message_timestamp_seconds", "1341100801.25"}}},
      {[&] { metrics_.feed_last_event(1'000'000); },
       {{"geotally_feed_last_event_timestamp_seconds", "1"}}},
      {[&] { metrics_.feed_cursor(2'000'000); }, {{"geotally_feed_cursor_timestamp_seconds", "2"}}},
      {[&] { metrics_.event(EventKind::kPost, 5); },
       {{"geotally_events_total{kind=\"post\"}", "5"}}},
      {[&] { metrics_.rejected(Rejection::kTooDeep); },
       {{"geotally_events_rejected_total{reason=\"too_deep\"}", "1"}}},
      {[&] { metrics_.dropped(Drop::kReplayed, 2); },
       {{"geotally_events_dropped_total{reason=\"replayed\"}", "2"}}},
      {[&] { metrics_.told_out_of_order(3); }, {{"geotally_told_out_of_order_total", "3"}}},
      {[&] { metrics_.fence_overflow(); }, {{"geotally_fence_overflows_total", "1"}}},
      {[&] { metrics_.dropped(Drop::kReopening); },
       {{"geotally_events_dropped_total{reason=\"reopening\"}", "1"}}},
      {[&] { metrics_.feed_notice(Notice::kUnknownFrame, 3); },
       {{"geotally_feed_notices_total{name=\"unknown_frame\"}", "3"}}},
      {[&] { metrics_.field_ignored(EventField::kLangs); },
       {{"geotally_event_fields_ignored_total{field=\"langs\"}", "1"}}},
      {[&] { metrics_.event_delays(delays_of({5'000'001, 5'000'001})); },
       {{"geotally_event_delay_seconds_count", "2"},
        {"geotally_event_delay_seconds_sum", "10.000002"},
        {"geotally_event_delay_seconds_bucket{le=\"10\"}", "2"},
        {"geotally_event_delay_seconds_bucket{le=\"30\"}", "2"},
        {"geotally_event_delay_seconds_bucket{le=\"60\"}", "2"},
        {"geotally_event_delay_seconds_bucket{le=\"120\"}", "2"},
        {"geotally_event_delay_seconds_bucket{le=\"300\"}", "2"},
        {"geotally_event_delay_seconds_bucket{le=\"+Inf\"}", "2"}}},
      {[&] { metrics_.ingest_queue(7, 65'536); },
       {{"geotally_ingest_queue_events", "7"}, {"geotally_ingest_queue_capacity_events", "65536"}}},
      {[&] { metrics_.account_resolved(EvidenceKind::kFlag, 4); },
       {{"geotally_accounts_resolved_total{evidence=\"flag\"}", "4"}}},
      {[&] { metrics_.store_committed(20'000'000, 3'000'000); },
       {{"geotally_store_last_commit_timestamp_seconds", "3"},
        {"geotally_store_commit_duration_seconds_count", "1"},
        {"geotally_store_commit_duration_seconds_sum", "20"},
        {"geotally_store_commit_duration_seconds_bucket{le=\"30\"}", "1"},
        {"geotally_store_commit_duration_seconds_bucket{le=\"+Inf\"}", "1"}}},
      {[&] { metrics_.store_commit_failed(); }, {{"geotally_store_commit_errors_total", "1"}}},
      {[&] {
         metrics_.store({.sst_bytes = 1,
                         .memtable_bytes = 2,
                         .block_cache_bytes = 3,
                         .compaction_pending_bytes = 4,
                         .background_errors = 5,
                         .filesystem_avail_bytes = 6,
                         .write_stopped = true});
       },
       {{"geotally_store_sst_bytes", "1"},
        {"geotally_store_memtable_bytes", "2"},
        {"geotally_store_block_cache_bytes", "3"},
        {"geotally_store_compaction_pending_bytes", "4"},
        {"geotally_store_background_errors", "5"},
        {"geotally_store_filesystem_avail_bytes", "6"},
        {"geotally_store_write_stopped", "1"}}},
      {[&] { metrics_.http_answered(Handler::kApiStatus, 200, 3'000'000); },
       {{"geotally_http_requests_total{handler=\"api_status\",code=\"200\"}", "1"},
        {"geotally_http_request_duration_seconds_count{handler=\"api_status\"}", "1"},
        {"geotally_http_request_duration_seconds_sum{handler=\"api_status\"}", "3"},
        {"geotally_http_request_duration_seconds_bucket{handler=\"api_status\",le=\"+Inf\"}",
         "1"}}},
      {[&] { metrics_.http_rejected(HttpRejection::kHost); },
       {{"geotally_http_rejected_total{reason=\"host\"}", "1"}}},
      {[&] { metrics_.http_connections(9); }, {{"geotally_http_connections", "9"}}},
      {[&] { metrics_.config_loaded(true, 4'000'000); },
       {{"geotally_config_last_reload_successful", "1"},
        {"geotally_config_last_reload_success_timestamp_seconds", "4"}}},
      {[&] { metrics_.config_loaded(false, 5'000'000); },
       {{"geotally_config_last_reload_successful", "0"}}},
  };
  auto before = series_of(metrics_.page());
  for (const auto& [verb, expected] : verbs) {
    verb();
    const auto after = series_of(metrics_.page());
    ASSERT_EQ(after.size(), before.size());  // nothing appears that was not there as 0
    std::map<std::string, std::string> moved;
    for (const auto& [series, value] : after) {
      if (before[series] != value) moved[series] = value;
    }
    EXPECT_EQ(moved, expected);
    before = after;
  }
}

TEST_F(MetricsTest, AnUnforeseenCodeIsCountedAsOther) {
  metrics_.http_answered(Handler::kOther, 418, 0);
  EXPECT_NE(
      metrics_.page().find("geotally_http_requests_total{handler=\"other\",code=\"other\"} 1\n"),
      std::string::npos);
}

TEST_F(MetricsTest, ADelayOnABoundBelongsToItAndANegativeOneIsNone) {
  metrics_.event_delays(delays_of({100'000, -5}));
  const auto series = series_of(metrics_.page());
  EXPECT_EQ(series.at("geotally_event_delay_seconds_bucket{le=\"0.1\"}"), "2");
  EXPECT_EQ(series.at("geotally_event_delay_seconds_sum"), "0.1");
}

// Each delay belongs to its own bucket, whichever one came before it.
TEST_F(MetricsTest, EveryDelayIsInItsOwnBucketInWhateverOrderTheyCome) {
  std::vector<std::int64_t> delays_us = {0};
  for (const std::int64_t bound_us : EventDelays::kBounds_us) {
    delays_us.insert(delays_us.end(), {bound_us - 1, bound_us, bound_us + 1});
  }
  EventDelays delays;
  double sum_us = 0;
  for (const std::int64_t first : delays_us) {
    for (const std::int64_t second : delays_us) {
      delays.add(first);
      delays.add(second);
      sum_us += static_cast<double>(first + second);
    }
  }
  metrics_.event_delays(delays);
  const auto series = series_of(metrics_.page());
  const auto value = [&](const std::string& name) {
    return std::stod(series.at("geotally_event_delay_seconds" + name));
  };
  for (const std::int64_t bound_us : EventDelays::kBounds_us) {
    const auto below = std::ranges::count_if(delays_us, [&](auto us) { return us <= bound_us; });
    EXPECT_EQ(value(fmt::format("_bucket{{le=\"{}\"}}", static_cast<double>(bound_us) / 1e6)),
              static_cast<double>(2 * below) * static_cast<double>(delays_us.size()));
  }
  EXPECT_EQ(value("_count"), static_cast<double>(2 * delays_us.size() * delays_us.size()));
  EXPECT_DOUBLE_EQ(value("_sum"), sum_us / 1e6);
}

// An archive is years behind, and events come by the million: microseconds of that are too many
// for 64 bits.
TEST_F(MetricsTest, TheDelaysOfAnArchiveAddUp) {
  constexpr std::int64_t kTwentyYears_us = 20LL * 365 * 86'400 * 1'000'000;
  EventDelays delays;
  for (int i = 0; i < 100'000; ++i) delays.add(kTwentyYears_us);
  metrics_.event_delays(delays);
  const auto series = series_of(metrics_.page());
  EXPECT_EQ(std::stod(series.at("geotally_event_delay_seconds_sum")),
            100'000.0 * 20 * 365 * 86'400);
}

TEST_F(MetricsTest, NothingIsLostBetweenThreads) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 20'000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kTimes; ++n) {
        metrics_.event(EventKind::kPost);
        metrics_.event_delays(delays_of({1'000'000}));
      }
    });
  }
  for (int i = 0; i < 20; ++i) (void)metrics_.page();  // read while it is written
  for (auto& thread : threads) thread.join();
  const auto series = series_of(metrics_.page());
  EXPECT_EQ(series.at("geotally_events_total{kind=\"post\"}"), std::to_string(kThreads * kTimes));
  EXPECT_EQ(series.at("geotally_event_delay_seconds_count"), std::to_string(kThreads * kTimes));
  EXPECT_EQ(series.at("geotally_event_delay_seconds_sum"), std::to_string(kThreads * kTimes));
}

TEST_F(MetricsTest, TheProcessIsSeen) {
  const std::string page = metrics_.page();
  for (const char* series :
       {"process_cpu_seconds_total", "process_resident_memory_bytes",
        "process_virtual_memory_bytes", "process_threads", "process_open_fds", "process_max_fds"}) {
    const std::size_t at = page.find("\n" + std::string(series) + " ");
    ASSERT_NE(at, std::string::npos) << series;
    EXPECT_GT(std::stod(page.substr(at + std::string(series).size() + 2)), 0) << series;
  }
  EXPECT_NE(page.find("process_start_time_seconds 1341100800.5\n"), std::string::npos);
}

using MetricsDeathTest = MetricsTest;
TEST_F(MetricsDeathTest, AReasonThatNobodyAnnouncedIsOurOwnMistake) {
  EXPECT_DEATH(metrics_.feed_disconnected("no_such_reason"), "was not told of");
}

}  // namespace
}  // namespace geotally::metrics
