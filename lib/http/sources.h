// What the admin server reads: functions that main binds. They are called on the
// `http` thread, must be thread-safe and must not wait for the feed or the store.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "country/country.h"
#include "event/evidence_kind.h"
#include "event/gap.h"
#include "tally/snapshot.h"

namespace geotally::http {

/// One UTC day of one country, as it stood when the day ended.
struct DailyRow {
  std::int32_t day = 0;  ///< days since 1970-01-01
  Country country;
  std::uint64_t accounts = 0;      ///< known and not gone at the end of the day
  std::uint64_t accounts_new = 0;  ///< first seen that day
  std::uint64_t posts = 0;         ///< that day
  std::uint64_t posts_deleted = 0;
  std::array<std::uint64_t, tally::kEngagements> engagement{};  ///< at the end of the day
  static constexpr std::size_t kWindows = 4;
  static constexpr std::array<const char*, kWindows> kWindowNames{"24h", "7d", "30d", "90d"};
  std::array<std::uint64_t, kWindows> active{};  ///< at the end of the day
  std::array<std::uint64_t, kEvidenceKinds> evidence{};
  std::int64_t gap_us = 0;  ///< of that day; the same for every country
};

struct Gap {
  geotally::Gap gap;
  std::uint64_t number = 0;  ///< counts from 1
};

/// What /readyz and /api/v1/status say of the daemon beside the snapshot.
struct Status {
  bool ready = false;     ///< store open and state loaded
  std::string not_ready;  ///< why, in one line
  bool feed_connected = false;
  std::string feed_host;  ///< "host:port" of the last connection; empty = none yet
  std::string version;
  std::int64_t started_at_us = 0;
  std::int64_t last_event_us = 0;    ///< event time; 0 = none yet
  std::int64_t last_message_us = 0;  ///< wall clock; 0 = none yet
};

/// A city by its GeoNames id; empty where the table has none.
struct CityName {
  std::string name;
  Country country;
};

struct Sources {
  /// nullptr until the state is loaded: the country page then answers 503.
  std::function<std::shared_ptr<const tally::Snapshot>()> snapshot;
  /// The text of /metrics.
  std::function<std::string()> metrics_page;
  std::function<Status()> status;
  /// Rows of the days `from` to `to`, both included, in any order; ZZ is a country. A day that
  /// has any row has all its figures: a country without one had none. At most 32 days a call.
  /// Not set = there are none.
  std::function<std::vector<DailyRow>(std::int32_t from, std::int32_t to)> daily_rows;
  /// The newest gaps first, at most `limit`. Not set = there are none.
  std::function<std::vector<Gap>(std::size_t limit)> gaps;
  /// Not set = cities have no names.
  std::function<CityName(std::uint32_t city)> city;
  /// Erases the account of a DID, and says later, on any thread, with which commit that became
  /// durable; 0 = too much is waiting already. Returns at once. Not set = nobody can.
  std::function<void(std::string did, std::function<void(std::uint64_t commit)> done)> forget;
  /// Wall clock, microseconds since the epoch.
  std::function<std::int64_t()> now_us;
};

}  // namespace geotally::http
