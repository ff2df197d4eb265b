// What one shard's accounts changed in the cells since the last mark.
//
// Cells live as totals with the commits (totals.h); a shard only ever knows
// differences, so shards add up whatever their number. Rows come in parts, dense
// over sixty-four countries: under load a post touches the same few parts as the
// post before it, and where posts are rare a row does not cost what it would with
// every country in it.
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

/// What neighbours by Country::index() changed in one row.
struct RowPart {
  static constexpr std::size_t kCountries = 64;

  RowKind kind{};
  std::uint8_t first = 0;  ///< index of the country that the first cell is of
  std::int64_t bucket = 0;
  std::array<CellChange, kCountries> cells{};
};

/// Difference of one country's figures that no bucket of time holds.
struct CountryChange {
  std::int64_t posts = 0;
  std::int64_t posts_deleted = 0;
  std::int64_t accounts = 0;
  std::int64_t never = 0;
  std::int64_t once = 0;
  std::int64_t confidence = 0;
  std::int64_t automated = 0;
  std::int64_t bridged = 0;
  /// Of `posts`, those that go equally into the base of the counters: counters do not move.
  std::uint64_t base_posts = 0;
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

  /// The cells that a post of an account will move away from, to be fetched before move(): the
  /// seconds and minutes of all last posts are more than a cache holds. Null where there is none
  /// yet, or none any more.
  using LastPost = std::array<const CellChange*, 2>;
  [[nodiscard]] LastPost find_last_post(Country country, std::uint32_t last_post_s) const;

  /// An account stood as `before` and now stands as `after`.
  void move(const Standing& before, const Standing& after);

  /// Each part once, in no order.
  [[nodiscard]] const std::vector<std::unique_ptr<RowPart>>& parts() const { return parts_; }
  /// Memory that the parts of rows take.
  [[nodiscard]] std::size_t bytes() const { return parts_.size() * kPartBytes; }
  /// With the heap's own, and the places in list and index.
  static constexpr std::size_t kPartBytes = sizeof(RowPart) + 56;
  [[nodiscard]] const std::array<CountryChange, Country::kLimit>& countries() const {
    return countries_;
  }

  [[nodiscard]] const boost::unordered_flat_map<std::uint32_t, CityChange>& cities() const {
    return cities_;
  }

 private:
  static constexpr std::size_t kParts = Country::kLimit / RowPart::kCountries;
  static_assert(Country::kLimit % RowPart::kCountries == 0);
  // Parts of one row; null = not made.
  using Row = std::array<RowPart*, kParts>;
  struct Latest {
    std::int64_t bucket = -1;
    Row row{};
  };

  static std::uint64_t key_of(RowKind kind, std::int64_t bucket);
  RowPart& part(RowKind kind, std::int64_t bucket, std::size_t number);
  [[nodiscard]] const CellChange* find(RowKind kind, std::int64_t bucket, Country country) const;
  void add(const Standing& standing, std::int32_t sign);
  void add_last_post(Country country, std::uint32_t last_post_s, std::int32_t sign);

  std::array<CountryChange, Country::kLimit> countries_{};
  boost::unordered_flat_map<std::uint32_t, CityChange> cities_;
  std::vector<std::unique_ptr<RowPart>> parts_;
  boost::unordered_flat_map<std::uint64_t, Row> rows_;
  std::array<Latest, kRowKinds> latest_;  // of each kind the latest row, again
  std::array<std::int64_t, kRowKinds> first_kept_{};
};

}  // namespace geotally::tally
