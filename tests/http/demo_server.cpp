// The admin server over figures that move, for tests with a real Prometheus: prints "port N",
// serves until its standard input ends.
#include <chrono>
#include <cstdio>
#include <mutex>

#include <poll.h>
#include <unistd.h>

#include "http/server.h"
#include "log/log.h"
#include "world.h"

namespace geotally {
namespace {

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// One step of a healthy daemon's life: something of everything happens.
void live(metrics::Metrics& metrics, std::int64_t time_us) {
  metrics.feed_received(1'000, 550'000, time_us);
  metrics.feed_last_event(time_us - 1'000'000);
  metrics.feed_cursor(time_us - 2'000'000);
  for (std::size_t i = 0; i < kEventKinds; ++i) metrics.event(static_cast<EventKind>(i), 100);
  metrics.rejected(Rejection::kMalformed);
  metrics.dropped(Drop::kUncounted, 100);
  metrics::EventDelays delays;
  for (int i = 0; i < 1'000; ++i) delays.add(1'000'000);
  metrics.event_delays(delays);
  metrics.ingest_queue(10, 65'536);
  metrics.account_resolved(EvidenceKind::kLanguage, 10);
  metrics.store_committed(4'000, time_us);
  metrics.store({.sst_bytes = 1'000'000'000,
                 .memtable_bytes = 10'000'000,
                 .block_cache_bytes = 100'000'000,
                 .compaction_pending_bytes = 1'000,
                 .background_errors = 0,
                 .filesystem_avail_bytes = 100'000'000'000,
                 .write_stopped = false});
}

std::shared_ptr<const tally::Snapshot> snapshot_at(std::uint64_t step, std::int64_t time_us) {
  auto snapshot = std::make_shared<tally::Snapshot>(*http::world());
  snapshot->commit = step;
  snapshot->committed_at_us = snapshot->edge_us = time_us;
  for (tally::CountryFigures& figures : snapshot->countries)
    figures.posts += figures.accounts * step;
  return snapshot;
}

int run() {
  const std::int64_t start_us = now_us();
  log::Logger log;
  metrics::Metrics metrics({"0", "demo"}, start_us, {{"dns"}, {"server_closed"}}, log);
  metrics.config_loaded(true, start_us);
  metrics.feed_connected();

  std::mutex mutex;
  auto snapshot = snapshot_at(1, start_us);
  http::Sources sources = http::world_sources();
  sources.snapshot = [&] {
    const std::lock_guard lock(mutex);
    return snapshot;
  };
  sources.metrics_page = [&] { return metrics.page(); };
  http::Options options;
  options.listen = {"127.0.0.1", 0};
  http::Server server(options, sources, metrics, log);
  live(metrics, start_us);
  server.start();
  std::printf("port %u\n", static_cast<unsigned>(server.port()));
  std::fflush(stdout);

  constexpr int kStepMs = 200;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  for (std::uint64_t step = 2; poll(&input, 1, kStepMs) == 0; ++step) {
    live(metrics, now_us());
    auto next = snapshot_at(step, now_us());
    const std::lock_guard lock(mutex);
    snapshot = std::move(next);
  }
  return 0;
}

}  // namespace
}  // namespace geotally

int main() { return geotally::run(); }
