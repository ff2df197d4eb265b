// What readers see: every figure of one commit, and nothing that is not committed.
// Immutable once published; shared between threads by std::shared_ptr<const Snapshot>.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "country/country.h"
#include "event/evidence_kind.h"

namespace geotally::tally {

/// A rolling window. It covers whole buckets: the current one, partly filled, and
/// those before it, `seconds` in all.
struct Window {
  std::string name;  ///< "24h": as configured, and as the label says it
  std::int64_t seconds = 0;
  friend bool operator==(const Window&, const Window&) = default;
};

/// Classes of engagement. They sum to `accounts`. Closed: the names are metric labels.
enum class Engagement : std::uint8_t { kNever, kOnce, kOccasional, kEngaged };
inline constexpr std::size_t kEngagements = 4;
[[nodiscard]] std::string_view to_string(Engagement engagement);

struct CountryFigures {
  static constexpr std::size_t kWindowsMax = 16;

  std::uint64_t posts = 0;          ///< accepted ever
  std::uint64_t posts_deleted = 0;  ///< deletions accepted ever
  /// Of these, what was counted before the store was restored or rebuilt: counters for
  /// Prometheus start again from there, at 0.
  std::uint64_t posts_base = 0;
  std::uint64_t posts_deleted_base = 0;
  std::uint64_t accounts = 0;  ///< known and not gone
  std::array<std::uint64_t, kEngagements> engagement{};
  std::array<std::uint64_t, kEvidenceKinds>
      evidence{};                    ///< accounts by what their country rests on
  std::uint64_t confidence_sum = 0;  ///< sum over accounts of confidence × 255
  std::uint64_t automated = 0;       ///< accounts that a program posts with
  std::uint64_t bridged = 0;         ///< accounts of another network
  std::array<std::uint64_t, kWindowsMax> window_posts{};  ///< by place in Snapshot::windows
  std::array<std::uint64_t, kWindowsMax> window_active{};
};

struct CityFigures {
  std::uint32_t city = 0;      ///< GeoNames id
  std::uint64_t posts = 0;     ///< accepted ever, of accounts that counted there then
  std::uint64_t accounts = 0;  ///< known and not gone
};

/// All times are microseconds since the epoch; 0 = not yet.
struct Snapshot {
  std::uint64_t commit = 0;          ///< number of the commit
  std::int64_t committed_at_us = 0;  ///< wall clock, when it was durable
  std::int64_t edge_us = 0;          ///< right edge E of every window
  std::int64_t watermark_us = 0;
  std::int64_t observed_since_us = 0;
  std::int64_t ingested_until_us = 0;

  std::vector<Window> windows;
  std::vector<std::int64_t> window_coverage_us;  ///< by place in `windows`
  std::vector<CountryFigures> countries;         ///< by Country::index()
  std::vector<CityFigures> cities;               ///< by id; those that have posts or accounts

  std::uint64_t gaps = 0;
  std::int64_t gap_us = 0;      ///< sum of their lengths
  std::uint64_t gaps_base = 0;  ///< as CountryFigures::posts_base
  std::int64_t gap_us_base = 0;
};

}  // namespace geotally::tally
