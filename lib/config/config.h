// Every setting of the daemon as plain values, with its default.
//
// keys.h describes each of them (name, type, range, what it is for, whether a
// reload takes it); load.h fills the struct. Names of members are the names of the
// keys: config.feed.quiet_s is `feed.quiet_s`, GEOTALLY_FEED__QUIET_S and
// --set feed.quiet_s=…
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace geotally::config {

enum class Wire : std::uint8_t { kJetstreamV1, kJetstreamV2 };
enum class Clock : std::uint8_t { kWall, kFeed };
enum class Switch : std::uint8_t { kOff, kOn };
enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
/// kAuto: the journal when stderr is the journal, logfmt on a terminal, JSON elsewhere.
enum class LogFormat : std::uint8_t { kAuto, kJson, kLogfmt, kJournal };

/// Where a store that has no cursor yet begins.
struct Start {
  enum class Kind : std::uint8_t { kLive, kOldest, kTime };
  Kind kind = Kind::kLive;
  std::int64_t time_us = 0;   ///< kTime only: microseconds since the epoch
  std::string text = "live";  ///< as it was written
  friend bool operator==(const Start&, const Start&) = default;
};

/// A rolling window as written ("24h") and in seconds; a multiple of its tier's bucket.
struct WindowLength {
  std::string name;
  std::int64_t seconds = 0;
  friend bool operator==(const WindowLength&, const WindowLength&) = default;
};

/// HOST:PORT; an IPv6 host stands without its brackets. Port 0 = any free one.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};
/// "127.0.0.1:9718", "[::1]:9718".
[[nodiscard]] std::string to_string(const Endpoint& endpoint);
/// Whether only this machine can reach it: 127.0.0.0/8, ::1, localhost.
[[nodiscard]] bool is_loopback(const Endpoint& endpoint);

struct Config {
  struct Feed {
    std::vector<std::string> urls;  ///< full URLs, path included; first is tried first
    Wire wire = Wire::kJetstreamV1;
    Start start;
    std::int64_t quiet_s = 60;  ///< no data frame for so long = reconnect; 0 = never
    std::int64_t margin_s = 60;
    std::int64_t backoff_max_s = 60;
    std::int64_t lag_max_s = 0;            ///< several hosts: leave one that is so late; 0 = never
    std::int64_t preferred_after_s = 600;  ///< several hosts: then back to a preferred one
    std::int64_t message_bytes_max = 1 << 20;
    std::int64_t depth_max = 64;
    std::vector<std::string> collections{"app.bsky.feed.post", "app.bsky.actor.profile",
                                         "community.lexicon.actor.profile",
                                         "community.lexicon.location.*"};
    std::string token_file;  ///< path; empty = none
    Switch zstd = Switch::kOff;
    std::string zstd_dictionary;  ///< path; empty = none
    friend bool operator==(const Feed&, const Feed&) = default;
  } feed;

  struct Tally {
    Clock clock = Clock::kWall;
    std::vector<WindowLength> windows{{"1m", 60},     {"5m", 300},      {"15m", 900},
                                      {"1h", 3600},   {"6h", 21600},    {"24h", 86400},
                                      {"7d", 604800}, {"30d", 2592000}, {"90d", 7776000}};
    std::int64_t fence_horizon_s = 60;
    std::int64_t erase_deleted_days = 30;
    friend bool operator==(const Tally&, const Tally&) = default;
  } tally;

  struct Store {
    /// Where not set: $STATE_DIRECTORY, else this.
    std::string data_dir = "geotally-data";
    /// The whole bound: hot accounts, RocksDB's block cache and memtables are inside it.
    std::int64_t memory_mib = 1024;
    std::int64_t commit_interval_ms = 1000;
    friend bool operator==(const Store&, const Store&) = default;
  } store;

  struct Pipeline {
    std::int64_t shards = 1;
    friend bool operator==(const Pipeline&, const Pipeline&) = default;
  } pipeline;

  struct Resolver {
    double threshold = 0.55;
    std::string table;  ///< path; empty = the one that is built in
    friend bool operator==(const Resolver&, const Resolver&) = default;
  } resolver;

  struct Http {
    Endpoint listen{"127.0.0.1", 9718};
    /// Accepted in `Host` besides the loopback names and the bound address.
    std::vector<std::string> allowed_hosts;
    std::int64_t connections_max = 64;
    std::string token_file;  ///< path; empty = none, and then only loopback may be bound
    friend bool operator==(const Http&, const Http&) = default;
  } http;

  struct Log {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kAuto;
    friend bool operator==(const Log&, const Log&) = default;
  } log;

  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace geotally::config
