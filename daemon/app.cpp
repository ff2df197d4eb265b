#include "daemon/app.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <pthread.h>

#include "base/check.h"
#include "daemon/clock.h"
#include "daemon/exit_code.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/store_view.h"
#include "feed/follower.h"
#include "geo/resolver.h"
#include "http/server.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "pipeline/pipeline.h"
#include "store/store.h"
#include "version.h"

namespace geotally {
namespace {

constexpr std::chrono::milliseconds kTick{100};
// Messages between two reports while the feed never pauses.
constexpr std::uint64_t kReportEvery = 64;
// Erasures between two commits: each may read an account from the disk.
constexpr std::size_t kForgettingMax = 64;
constexpr std::int64_t kStatusEvery_us = 10'000'000;

std::int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// An invariant that is broken says so in the log before it stops the process.
class InvariantsToLog {
 public:
  explicit InvariantsToLog(log::Logger& log) {
    base::on_broken([&log](const base::Broken& broken) {
      log.write(log::Event::kInvariantBroken,
                {{"what", broken.what},
                 {"condition", broken.condition},
                 {"place", fmt::format("{}:{}", broken.file, broken.line)}});
    });
  }
  ~InvariantsToLog() { base::on_broken({}); }
  InvariantsToLog(const InvariantsToLog&) = delete;
  InvariantsToLog& operator=(const InvariantsToLog&) = delete;
};

}  // namespace

struct App::Parts {
  explicit Parts(const config::Inputs& inputs_given);
  int run();

  void stop();
  void tick();
  void schedule_tick();
  void await_signal();
  void forget(const std::string& did, std::function<void(std::uint64_t)> done);
  void report_received();
  void reload();
  [[nodiscard]] feed::FollowerHandlers handlers();
  [[nodiscard]] http::Sources sources();
  [[noreturn]] void fail(std::exception_ptr reason);

  // Constant after construction.
  const std::int64_t started_us = wall_us();
  const config::Inputs inputs;

  config::Config config;
  log::Logger log;
  InvariantsToLog invariants{log};
  metrics::Metrics metrics;
  Notify notify;
  boost::asio::io_context io{1};
  boost::asio::signal_set signals{io, SIGTERM, SIGINT, SIGHUP};
  boost::asio::steady_timer ticker{io};

  // The admin server is bound before the store is touched: a second daemon fails on the port.
  std::atomic<pipeline::Pipeline*> ready{nullptr};
  std::atomic<bool> feed_connected{false};
  std::set<std::string, std::less<>> hosts_met;  // the feed's thread adds; entries stay as they are
  std::atomic<const std::string*> feed_host{nullptr};
  std::atomic<std::int64_t> last_event_us{0};
  std::atomic<std::int64_t> last_message_us{0};
  http::Server server;

  std::unique_ptr<store::Store> store;
  geo::Resolver resolver;
  std::unique_ptr<feed::Dialect> dialect;
  feed::Position position;
  std::unique_ptr<pipeline::Pipeline> pipeline;
  std::unique_ptr<feed::Follower> follower;
  feed::FollowerCounts reported;
  std::int64_t status_at_us = 0;
  // Erasures that are not durable yet: with which commit they will be, and who waits for it.
  std::vector<std::pair<std::uint64_t, std::function<void(std::uint64_t)>>> forgetting;
  int stopped_by = 0;  // a signal
  bool stopping = false;
};

App::App(const config::Inputs& inputs) : parts_(std::make_unique<Parts>(inputs)) {}
App::~App() = default;
int App::run() { return parts_->run(); }

App::Parts::Parts(const config::Inputs& inputs_given)
    : inputs(inputs_given),
      config(config::load(inputs).config),
      log(log_options(config.log)),
      metrics({kVersion, kRevision}, started_us, feed_reasons(), log),
      server((config::require_runnable(config), http_options(config.http)), sources(), metrics,
             log),
      resolver(resolver_options(config.resolver)),
      dialect(feed::make_dialect(wire_of(config.feed), dialect_options(config.feed))),
      position(position_options(config)) {
  log.write(log::Event::kDaemonStarting, {{"version", kVersion}, {"revision", kRevision}});
  metrics.config_loaded(true, started_us);
  for (const std::string& warning : check_feed(config.feed)) {
    log.write(log::Event::kConfigWarning, {{"warning", warning}});
  }
  try {
    follower = std::make_unique<feed::Follower>(io, follower_options(config.feed), *dialect,
                                                position, handlers(), log);
  } catch (const std::runtime_error& error) {  // its dictionary, the proxy's variables
    throw config::ConfigError({{.where = "configuration", .key = "feed", .message = error.what()}});
  }
  pipeline::PipelineOptions options = pipeline_options(config);
  options.ingest.reopen = [this] { follower->reopen(); };
  options.ingest.alive = [this] { notify.alive(steady_us()); };
  options.failed = [this](std::exception_ptr reason) { fail(std::move(reason)); };
  options.on_commit = [this] { server.on_commit(); };

  server.start();
  store::Options where = store_options(config);
  where.watch.on_error = [this](std::string_view error) {
    log.write(log::Event::kStoreBackgroundError, {{"error", error}});
  };
  where.watch.on_write_stop = [this](std::string_view reason) {
    log.write(log::Event::kStoreWriteStopped, {{"reason", reason}});
  };
  store = store::Store::open(where);
  const store::CommitRecord& last = store->last_commit();
  if (!last.cursor.empty() && !position.parse(last.cursor)) {
    throw store::Refused(fmt::format("store {}: its cursor is corrupt", config.store.data_dir));
  }
  log.write(log::Event::kStoreOpened, {{"directory", config.store.data_dir},
                                       {"commit", last.number},
                                       {"watermark_us", last.watermark_us}});
  pipeline = std::make_unique<pipeline::Pipeline>(std::move(options), *store, resolver, *dialect,
                                                  position, metrics, log);
}

feed::FollowerHandlers App::Parts::handlers() {
  feed::FollowerHandlers handlers;
  handlers.on_frame = [this](feed::Frame frame) {
    pipeline->ingest().frame(frame);
    if (follower->counts().messages - reported.messages >= kReportEvery) report_received();
  };
  handlers.on_drained = [this] {
    pipeline->ingest().drained();
    report_received();
  };
  handlers.on_rejected = [this](Rejection reason) { pipeline->ingest().rejected(reason); };
  handlers.on_connected = [this](std::string_view host) {
    metrics.feed_connected();
    feed_host.store(&*hosts_met.emplace(host).first, std::memory_order_release);
    feed_connected.store(true, std::memory_order_relaxed);
    pipeline->ingest().connected(true);
  };
  handlers.on_connect_failed = [this](std::string_view, feed::ConnectFailure reason,
                                      std::string_view) {
    metrics.feed_connect_failed(to_string(reason));
  };
  handlers.on_disconnected = [this](std::string_view, feed::Disconnect reason, std::string_view) {
    metrics.feed_disconnected(to_string(reason));
    feed_connected.store(false, std::memory_order_relaxed);
    pipeline->ingest().connected(false);
  };
  handlers.on_stopped = [this] { io.stop(); };
  return handlers;
}

void App::Parts::report_received() {
  const feed::FollowerCounts& counts = follower->counts();
  const std::int64_t now_us = wall_us();
  metrics.feed_received(counts.messages - reported.messages, counts.bytes - reported.bytes, now_us);
  reported = counts;
  last_message_us.store(now_us, std::memory_order_relaxed);
  last_event_us.store(pipeline->ingest().watermark_us(), std::memory_order_relaxed);
}

http::Sources App::Parts::sources() {
  http::Sources sources;
  sources.snapshot = [this]() -> std::shared_ptr<const tally::Snapshot> {
    const pipeline::Pipeline* loaded = ready.load(std::memory_order_acquire);
    return loaded == nullptr ? nullptr : loaded->snapshot();
  };
  sources.metrics_page = [this] { return metrics.page(); };
  sources.status = [this] {
    http::Status status;
    const pipeline::Pipeline* loaded = ready.load(std::memory_order_acquire);
    status.ready = loaded != nullptr && !loaded->committer().failing();
    if (!status.ready) {
      status.not_ready = loaded == nullptr ? "the state is being loaded" : "commits fail";
    }
    status.feed_connected = feed_connected.load(std::memory_order_relaxed);
    const std::string* host = feed_host.load(std::memory_order_acquire);
    if (host != nullptr) status.feed_host = *host;
    status.version = kVersion;
    status.started_at_us = started_us;
    status.last_event_us = last_event_us.load(std::memory_order_relaxed);
    status.last_message_us = last_message_us.load(std::memory_order_relaxed);
    return status;
  };
  sources.daily_rows = [this](std::int32_t from, std::int32_t to) {
    return ready.load(std::memory_order_acquire) == nullptr ? std::vector<http::DailyRow>()
                                                            : daily_rows(*store, from, to);
  };
  sources.gaps = [this](std::size_t limit) {
    return ready.load(std::memory_order_acquire) == nullptr ? std::vector<http::Gap>()
                                                            : newest_gaps(*store, limit);
  };
  sources.city = [this](std::uint32_t id) {
    const geo::City city = resolver.find_city(id);
    return http::CityName{std::string(city.name), city.country};
  };
  sources.now_us = wall_us;
  sources.forget = [this](std::string did, std::function<void(std::uint64_t)> done) {
    if (ready.load(std::memory_order_acquire) == nullptr) return done(0);
    boost::asio::post(io, [this, did = std::move(did), done = std::move(done)]() mutable {
      forget(did, std::move(done));
    });
  };
  return sources;
}

void App::Parts::forget(const std::string& did, std::function<void(std::uint64_t)> done) {
  if (forgetting.size() >= kForgettingMax) return done(0);
  forgetting.emplace_back(pipeline->ingest().forget(did), std::move(done));
}

// A thread met what it cannot go on after. What is committed is whole; the next start resumes
// from it, so nothing is gained by an orderly end.
void App::Parts::fail(std::exception_ptr reason) {
  int code = kExitSoftware;
  std::string what;
  try {
    std::rethrow_exception(std::move(reason));
  } catch (const store::Refused& error) {
    code = kExitData;
    what = error.what();
  } catch (const store::IoError& error) {
    code = kExitIo;
    what = error.what();
  } catch (const std::exception& error) {
    what = error.what();
  }
  log.write(log::Event::kDaemonFailed, {{"error", what}, {"exit_code", code}});
  std::_Exit(code);
}

int App::Parts::run() {
  ::pthread_setname_np(::pthread_self(), "io");
  // A reader of the log that goes away is no reason to stop.
  std::signal(SIGPIPE, SIG_IGN);
  pipeline->start();
  ready.store(pipeline.get(), std::memory_order_release);
  await_signal();
  schedule_tick();
  follower->start();
  log.write(log::Event::kDaemonReady,
            {{"listen", config::to_string(config.http.listen)}, {"port", server.port()}});
  notify.ready("connecting");
  io.run();

  log.write(log::Event::kDaemonStopping, {{"signal", stopped_by == SIGINT ? "SIGINT" : "SIGTERM"}});
  pipeline->stop();
  server.stop();
  ready.store(nullptr, std::memory_order_release);
  log.write(log::Event::kDaemonStopped, {{"commit", store->last_commit().number}});
  return kExitOk;
}

void App::Parts::await_signal() {
  signals.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload();
      await_signal();
      return;
    }
    stopped_by = signal;
    stop();
  });
}

void App::Parts::stop() {
  if (std::exchange(stopping, true)) return;
  notify.stopping();
  ticker.cancel();
  follower->stop();
}

// All of the new configuration or none of it; what needs a restart is named and waits for one.
void App::Parts::reload() {
  notify.reloading();
  try {
    const config::Config next = config::load(inputs).config;
    const config::Config before = std::exchange(config, config::reloaded(config, next));
    log.set_level_min(static_cast<log::Level>(config.log.level));  // what follows is of the new one
    for (const config::Change& change : config::diff(before, next)) {
      if (!change.reloadable) {
        log.write(log::Event::kConfigRestartNeeded, {{"key", change.key}});
      }
    }
    metrics.config_loaded(true, wall_us());
    log.write(log::Event::kConfigReloaded, {});
  } catch (const config::ConfigError& error) {
    metrics.config_loaded(false, wall_us());
    log.write(log::Event::kConfigReloadFailed, {{"error", error.what()}});
  }
  notify.ready("reloaded");
}

void App::Parts::schedule_tick() {
  ticker.expires_after(kTick);
  ticker.async_wait([this](boost::system::error_code error) {
    if (error || stopping) return;
    tick();
    schedule_tick();
  });
}

void App::Parts::tick() {
  pipeline->ingest().tick();
  const std::uint64_t committed = pipeline->committer().committed();
  std::erase_if(forgetting, [&](const auto& waiting) {
    if (waiting.first <= committed) waiting.second(waiting.first);
    return waiting.first <= committed;
  });
  const std::int64_t now_us = steady_us();
  if (now_us - status_at_us < kStatusEvery_us) return;
  status_at_us = now_us;
  const auto snapshot = pipeline->snapshot();
  std::uint64_t accounts = 0;
  for (const tally::CountryFigures& figures : snapshot->countries) accounts += figures.accounts;
  notify.status(fmt::format("{}; commit {}, {} accounts",
                            follower->connected() ? "following" : "not connected", snapshot->commit,
                            accounts));
}

}  // namespace geotally
