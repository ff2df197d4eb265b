// The cells: all that the figures are computed from, as of the last commit.
//
// One Totals a process, owned by the thread that commits. Shards send it their
// differences; what it says is exposed only once the commit is durable.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "country/country.h"
#include "event/evidence_kind.h"
#include "tally/changes.h"
#include "tally/snapshot.h"
#include "tally/windows.h"

namespace geotally::tally {

/// One bucket of time, over all countries (by Country::index()).
struct Row {
  std::array<std::uint64_t, Country::kLimit> posts{};
  std::array<std::uint32_t, Country::kLimit> accounts{};
  std::vector<std::uint32_t> deleted;  ///< kDay only; else empty
};

struct RowId {
  RowKind kind{};
  std::int64_t bucket = 0;
  friend auto operator<=>(const RowId&, const RowId&) = default;  // NOLINT(modernize-use-nullptr)
};

/// The figures of one country that no bucket of time holds.
struct CountryTotals {
  std::uint64_t posts = 0;
  std::uint64_t posts_deleted = 0;
  std::uint64_t accounts = 0;
  std::uint64_t never = 0;
  std::uint64_t once = 0;
  std::uint64_t confidence = 0;
  std::uint64_t automated = 0;
  std::uint64_t bridged = 0;
  std::array<std::uint64_t, kEvidenceKinds> evidence{};
  friend bool operator==(const CountryTotals&, const CountryTotals&) = default;
};

/// The figures of one city.
struct CityTotals {
  std::uint64_t posts = 0;     ///< accepted ever, of accounts that counted there then
  std::uint64_t accounts = 0;  ///< known and not gone
  friend bool operator==(const CityTotals&, const CityTotals&) = default;
};

/// What a UTC day's row says of one country at the end of that day, besides the
/// posts, deletions and new accounts that its kDay row counts.
struct DayClosing {
  std::uint64_t accounts = 0;
  std::array<std::uint64_t, kEngagements> engagement{};
  std::array<std::uint64_t, kDayRowWindows.size()> active{};
  std::array<std::uint64_t, kEvidenceKinds> evidence{};
};

/// Not thread-safe.
class Totals {
 public:
  /// Rows and totals as the store holds them; before the first apply().
  void load_row(RowId id, std::unique_ptr<Row> row) { rows_[id] = std::move(row); }
  CountryTotals& load_country(Country country) { return countries_[country.index()]; }

  CityTotals& load_city(std::uint32_t city) { return cities_[city]; }

  /// Adds what a shard changed, but for what is expired at `watermark_s` (0 = nothing is):
  /// expire() with the same follows. A count that would fall below zero aborts: an invariant is
  /// broken, and the last commit is the truth to go back to.
  void apply(const Changes& changes, std::int64_t watermark_s = 0);

  /// Forgets rows that are expired at `watermark_s`. Rows of days leave memory, but stay stored.
  void expire(std::int64_t watermark_s);

  /// What apply() and expire() touched since the last clear_touched(), each once, ordered.
  [[nodiscard]] const std::map<RowId, const Row*>& touched() const { return touched_; }
  [[nodiscard]] const std::vector<RowId>& expired() const { return expired_; }
  /// Ids of cities; one may be named twice.
  [[nodiscard]] const std::vector<std::uint32_t>& cities_touched() const { return cities_touched_; }
  [[nodiscard]] bool countries_touched() const { return countries_touched_; }
  void clear_touched();

  [[nodiscard]] const Row* row(RowId id) const;
  [[nodiscard]] const std::map<RowId, std::unique_ptr<Row>>& rows() const { return rows_; }
  [[nodiscard]] const CountryTotals& country(Country country) const {
    return countries_[country.index()];
  }

  /// By Country::index().
  [[nodiscard]] const std::array<CountryTotals, Country::kLimit>& countries() const {
    return countries_;
  }

  /// By GeoNames id; a city that has nothing any more stays as zeros.
  [[nodiscard]] const std::map<std::uint32_t, CityTotals>& cities() const { return cities_; }

  /// Figures at right edge `edge_s`, by Country::index(); windows as given, at most
  /// CountryFigures::kWindowsMax.
  [[nodiscard]] std::vector<CountryFigures> figures(std::span<const Window> windows,
                                                    std::int64_t edge_s) const;

  /// Closing figures of UTC day `day` (days since the epoch), by Country::index(). Right only
  /// while nothing after the day's end has been applied.
  [[nodiscard]] std::vector<DayClosing> close_day(std::int64_t day) const;

 private:
  Row& touch(RowId id);

  std::map<RowId, std::unique_ptr<Row>> rows_;
  std::array<CountryTotals, Country::kLimit> countries_{};
  std::map<std::uint32_t, CityTotals> cities_;
  std::int64_t watermark_s_ = 0;

  std::map<RowId, const Row*> touched_;
  std::vector<RowId> expired_;
  std::vector<std::uint32_t> cities_touched_;
  bool countries_touched_ = false;
};

}  // namespace geotally::tally
