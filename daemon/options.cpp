#include "daemon/options.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "config/load.h"
#include "config/secret.h"
#include "daemon/clock.h"
#include "feed/query.h"
#include "version.h"

namespace geotally {
namespace {

// "oldest": a time before any event, which servers clamp to what they still have. From 1e15 on
// they read a cursor as microseconds, below as a sequence number.
constexpr std::int64_t kOldest_us = 1'000'000'000'000'000;

// The program itself: code, its libraries, and the resolver's table.
constexpr std::size_t kProgramBytes = std::size_t{32} << 20;
// Less than this for accounts is refused.
constexpr std::size_t kAccountsMin = std::size_t{8} << 20;

// The one bound of memory, and who has which part of it.
struct Memory {
  std::size_t rocksdb = 0;
  std::size_t accounts = 0;
};

Memory share_memory(const config::Config& config) {
  const auto whole = static_cast<std::size_t>(config.store.memory_mib) << 20;
  const std::size_t fixed =
      kProgramBytes + pipeline::fixed_bytes(static_cast<std::size_t>(config.pipeline.shards));
  Memory memory;
  memory.rocksdb = std::max<std::size_t>(whole / 4, std::size_t{16} << 20);
  if (whole < fixed + memory.rocksdb + kAccountsMin) {
    config::Problem problem;
    problem.where = "configuration";
    problem.key = "store.memory_mib";
    problem.message =
        fmt::format("{} is too little for {} shards; at least {}", config.store.memory_mib,
                    config.pipeline.shards, ((fixed + kAccountsMin) * 4 / 3 >> 20) + 1);
    throw config::ConfigError({problem});
  }
  memory.accounts = whole - fixed - memory.rocksdb;
  return memory;
}

// As curl reads them: either case, the lower one first.
std::string variable(std::string name) {
  std::string lower = name;
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  const char* value = std::getenv(lower.c_str());
  if (value == nullptr) value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

std::vector<feed::Url> urls_of(const config::Config::Feed& config) {
  std::vector<feed::Url> urls;
  for (const std::string& text : config.urls) {
    std::string error;
    if (!feed::Url::parse(text, urls.emplace_back(), error)) {
      config::Problem problem;
      problem.where = "configuration";
      problem.key = "feed.urls";
      problem.message = error;
      throw config::ConfigError({problem});
    }
  }
  return urls;
}

}  // namespace

log::Options log_options(const config::Config::Log& config) {
  log::Options options;
  options.level_min = static_cast<log::Level>(config.level);
  options.format = static_cast<log::Format>(config.format);
  return options;
}

http::Options http_options(const config::Config::Http& config) {
  http::Options options;
  options.listen = config.listen;
  options.allowed_hosts = config.allowed_hosts;
  options.connections_max = static_cast<std::size_t>(config.connections_max);
  if (!config.token_file.empty()) {
    options.token = config::Secret::from_file("http.token_file", config.token_file);
  }
  return options;
}

store::Options store_options(const config::Config& config) {
  store::Options options;
  options.directory = config.store.data_dir;
  options.memory_bytes = share_memory(config).rocksdb;
  return options;
}

feed::Wire wire_of(const config::Config::Feed& config) {
  return config.wire == config::Wire::kJetstreamV2 ? feed::Wire::kJetstreamV2
                                                   : feed::Wire::kJetstreamV1;
}

feed::DialectOptions dialect_options(const config::Config::Feed& config) {
  feed::DialectOptions options;
  options.collections = config.collections;
  options.depth_max = static_cast<std::size_t>(config.depth_max);
  options.compress = config.zstd == config::Switch::kOn;
  return options;
}

feed::PositionOptions position_options(const config::Config& config) {
  feed::PositionOptions options;
  options.margin_us =
      std::max(config.feed.margin_s, config.tally.fence_horizon_s) * tally::kMicrosPerSecond;
  if (config.feed.start.kind == config::Start::Kind::kOldest) options.start_us = kOldest_us;
  if (config.feed.start.kind == config::Start::Kind::kTime) {
    options.start_us = config.feed.start.time_us;
  }
  return options;
}

std::vector<std::string> check_feed(const config::Config::Feed& config) {
  feed::QueryExpectation expected;
  expected.wire = wire_of(config);
  expected.compress = config.zstd == config::Switch::kOn;
  expected.collections = config.collections;
  expected.message_bytes_max = static_cast<std::uint64_t>(config.message_bytes_max);
  std::vector<config::Problem> problems;
  std::vector<std::string> warnings;
  for (const feed::Url& url : urls_of(config)) {
    for (const feed::QueryFinding& finding : feed::check_query(url.target, expected)) {
      std::string text =
          finding.name.starts_with("feed.")
              ? fmt::format("{} {}", finding.name, finding.message)
              : fmt::format("{}: {} {}", url.authority(), finding.name, finding.message);
      if (finding.refused) {
        problems.push_back({.where = "configuration", .key = "feed.urls", .message = text});
      } else if (std::ranges::find(warnings, text) == warnings.end()) {
        warnings.push_back(std::move(text));
      }
    }
  }
  if (!problems.empty()) throw config::ConfigError(std::move(problems));
  return warnings;
}

feed::FollowerOptions follower_options(const config::Config::Feed& config) {
  feed::FollowerOptions options;
  options.urls = urls_of(config);
  if (!config.token_file.empty()) {
    options.token = config::Secret::from_file("feed.token_file", config.token_file).reveal();
  }
  options.user_agent = fmt::format("geotally/{}", kVersion);
  options.compress = config.zstd == config::Switch::kOn;
  options.dictionary_file = config.zstd_dictionary;
  options.silence_max = std::chrono::seconds(config.quiet_s);
  options.backoff.max = std::chrono::seconds(config.backoff_max_s);
  options.lag_max = std::chrono::seconds(config.lag_max_s);
  options.preferred_after = std::chrono::seconds(config.preferred_after_s);
  options.proxy = variable("HTTPS_PROXY");
  options.no_proxy = variable("NO_PROXY");
  options.message_bytes_max = static_cast<std::size_t>(config.message_bytes_max);
  return options;
}

std::vector<tally::Window> windows_of(const config::Config::Tally& config) {
  std::vector<tally::Window> windows;
  for (const config::WindowLength& window : config.windows) {
    windows.push_back({window.name, window.seconds});
  }
  return windows;
}

pipeline::PipelineOptions pipeline_options(const config::Config& config) {
  pipeline::PipelineOptions options;
  options.shards = static_cast<std::size_t>(config.pipeline.shards);
  options.memory_bytes = share_memory(config).accounts;
  options.fence_horizon_s = config.tally.fence_horizon_s;
  options.erase_deleted_days = config.tally.erase_deleted_days;
  options.windows = windows_of(config.tally);
  options.ingest.clock = config.tally.clock == config::Clock::kFeed ? pipeline::ClockMode::kFeed
                                                                    : pipeline::ClockMode::kWall;
  options.ingest.commit_interval_us = config.store.commit_interval_ms * 1'000;
  options.ingest.now_us = wall_us;
  return options;
}

geo::Resolver::Options resolver_options(const config::Config::Resolver& config) {
  geo::Resolver::Options options;
  options.threshold = config.threshold;
  options.table = config.table;
  return options;
}

metrics::FeedReasons feed_reasons() {
  metrics::FeedReasons reasons;
  for (std::size_t i = 0; i < feed::kConnectFailures; ++i) {
    reasons.connect_failures.push_back(to_string(static_cast<feed::ConnectFailure>(i)));
  }
  for (std::size_t i = 0; i < feed::kDisconnects; ++i) {
    reasons.disconnects.push_back(to_string(static_cast<feed::Disconnect>(i)));
  }
  return reasons;
}

}  // namespace geotally
