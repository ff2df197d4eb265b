// Windows and the buckets of time that they are made of (DEFINITIONS: Tiers).
//
// Buckets are addressed by their absolute number, time / bucket length, so a
// late change can never land in a newer bucket that took over its place.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tally/snapshot.h"

namespace geotally::tally {

inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;
inline constexpr std::int64_t kDaySeconds = 86'400;

/// What a row of cells is about. The numbers are stored.
enum class RowKind : std::uint8_t {
  kSecond = 0,  ///< windows up to 15 min
  kMinute = 1,  ///< up to 24 h
  kHour = 2,    ///< up to 90 d
  kDay = 3,     ///< one UTC day: its posts, deletions and new accounts; kept for ever
  kLapse = 4,   ///< accounts that cease to be engaged on that UTC day
};
inline constexpr std::size_t kRowKinds = 5;
/// Rows that hold `last_post`: the tiers.
inline constexpr std::array<RowKind, 3> kTiers = {RowKind::kSecond, RowKind::kMinute,
                                                  RowKind::kHour};

/// Seconds that one bucket of `kind` covers.
[[nodiscard]] constexpr std::int64_t bucket_seconds(RowKind kind) {
  switch (kind) {
    case RowKind::kSecond:
      return 1;
    case RowKind::kMinute:
      return 60;
    case RowKind::kHour:
      return 3'600;
    case RowKind::kDay:
      return kDaySeconds;
    case RowKind::kLapse:
      return kDaySeconds;
  }
  return 0;
}

/// Longest window that rows of a tier can answer, in seconds.
[[nodiscard]] constexpr std::int64_t reach_seconds(RowKind tier) {
  switch (tier) {
    case RowKind::kSecond:
      return 15 * 60;
    case RowKind::kMinute:
      return kDaySeconds;
    default:
      return 90 * kDaySeconds;
  }
}

/// How long a bucket outlives its last window, so that late events still find it.
inline constexpr std::int64_t kSlackSeconds = 3'600;

/// Events older than the watermark by more than this are dropped as too old.
inline constexpr std::int64_t kTooOldSeconds = reach_seconds(RowKind::kHour) + kSlackSeconds;

/// Absolute number of the bucket that holds second `time_s` (>= 0).
[[nodiscard]] constexpr std::int64_t bucket_of(RowKind kind, std::int64_t time_s) {
  switch (kind) {  // by a constant each: a division by a variable takes as long as a cache miss
    case RowKind::kSecond:
      return time_s / bucket_seconds(RowKind::kSecond);
    case RowKind::kMinute:
      return time_s / bucket_seconds(RowKind::kMinute);
    case RowKind::kHour:
      return time_s / bucket_seconds(RowKind::kHour);
    case RowKind::kDay:
    case RowKind::kLapse:
      return time_s / kDaySeconds;
  }
  return 0;
}

/// First bucket that is kept at `watermark_s`; those before it are expired.
[[nodiscard]] constexpr std::int64_t first_kept(RowKind kind, std::int64_t watermark_s) {
  switch (kind) {
    case RowKind::kDay:  // rows of days are kept for ever; this is where changes end
      return bucket_of(kind, watermark_s > kTooOldSeconds ? watermark_s - kTooOldSeconds : 0);
    case RowKind::kLapse:  // on its own day an account is no longer engaged
      return bucket_of(kind, watermark_s > kSlackSeconds ? watermark_s - kSlackSeconds : 0) + 1;
    default: {
      const std::int64_t reach = reach_seconds(kind) + kSlackSeconds;
      return bucket_of(kind, watermark_s > reach ? watermark_s - reach : 0);
    }
  }
}

/// The tier that answers a window of `seconds`; nothing if no tier can: the
/// length must be a positive multiple of the tier's bucket and at most 90 days.
[[nodiscard]] std::optional<RowKind> tier_of(std::int64_t seconds);

/// First bucket in window `seconds` at right edge `edge_s`; the last one is the edge's own.
[[nodiscard]] constexpr std::int64_t first_in_window(RowKind tier, std::int64_t seconds,
                                                     std::int64_t edge_s) {
  return bucket_of(tier, edge_s) - seconds / bucket_seconds(tier) + 1;
}

/// Reads "15m", "24h", "90d" or "30s"; nothing if it is no such word or tier_of() refuses it.
[[nodiscard]] std::optional<Window> parse_window(std::string_view name);

/// 1m 5m 15m 1h 6h 24h 7d 30d 90d.
[[nodiscard]] std::vector<Window> default_windows();

/// The active figures of a closed day, as its row holds them: 24 h, 7 d, 30 d, 90 d.
inline constexpr std::array<std::int64_t, 4> kDayRowWindows = {kDaySeconds, 7 * kDaySeconds,
                                                               30 * kDaySeconds, 90 * kDaySeconds};

}  // namespace geotally::tally
