// What one shard's accounts changed in the cells since the last mark.
//
// Cells live as totals with the commits (totals.h); a shard only ever knows
// differences, so shards add up whatever their number. Rows are found by
// (kind, bucket) and dense over countries: a post touches the same few rows as
// the post before it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "country/country.h"
#include "event/evidence_kind.h"
#include "tally/account.h"
#include "tally/windows.h"

namespace geotally::tally {

/// Difference of one cell. Which fields a row uses: RowKind.
struct CellChange {
  std::int32_t posts = 0;
  std::int32_t accounts = 0;
  std::int32_t deleted = 0;
};

struct RowChange {
  RowKind kind{};
  std::int64_t bucket = 0;
  std::array<CellChange, Country::kLimit> cells{};  ///< by Country::index()
};

/// Difference of one country's figures that no bucket of time holds.
struct CountryChange {
  std::int64_t posts = 0;
  std::int64_t posts_deleted = 0;
  std::int64_t accounts = 0;
  std::int64_t never = 0;
  std::int64_t once = 0;
  std::int64_t confidence = 0;
  std::array<std::int32_t, kEvidenceKinds> evidence{};
};

/// Difference of one city's figures.
struct CityChange {
  std::int64_t posts = 0;
  std::int64_t accounts = 0;
};

/// Not thread-safe; handed over whole at a mark.
class Changes {
 public:
  Changes();
  Changes(Changes&&) noexcept;
  Changes& operator=(Changes&&) noexcept;
  ~Changes();

  /// Buckets that are expired at `watermark_s` are not worth a row any more.
  void set_watermark(std::int64_t watermark_s);

  /// The row's cell of `country`, or null when the bucket is expired.
  [[nodiscard]] CellChange* cell(RowKind kind, std::int64_t bucket, Country country);
  /// `city` != 0.
  [[nodiscard]] CityChange& city(std::uint32_t city) { return cities_[city]; }
  [[nodiscard]] CountryChange& country(Country country) { return countries_[country.index()]; }

  /// The cell that a post of an account will move away from, to be fetched before move(): the
  /// seconds of all last posts are more than a cache holds. Null when there is none yet.
  [[nodiscard]] const CellChange* find_last_post(Country country, std::uint32_t last_post_s) const;

  /// An account stood as `before` and now stands as `after`.
  void move(const Standing& before, const Standing& after);

  [[nodiscard]] const std::vector<std::unique_ptr<RowChange>>& rows() const { return rows_; }
  [[nodiscard]] const std::array<CountryChange, Country::kLimit>& countries() const {
    return countries_;
  }

  [[nodiscard]] const boost::unordered_flat_map<std::uint32_t, CityChange>& cities() const {
    return cities_;
  }

 private:
  RowChange& row(RowKind kind, std::int64_t bucket);
  void add(const Standing& standing, std::int32_t sign);
  void add_last_post(Country country, std::uint32_t last_post_s, std::int32_t sign);

  std::array<CountryChange, Country::kLimit> countries_{};
  boost::unordered_flat_map<std::uint32_t, CityChange> cities_;
  std::vector<std::unique_ptr<RowChange>> rows_;
  boost::unordered_flat_map<std::uint64_t, RowChange*> index_;
  std::array<RowChange*, kRowKinds> latest_{};  // the latest row there is
  std::array<std::int64_t, kRowKinds> first_kept_{};
};

}  // namespace geotally::tally
