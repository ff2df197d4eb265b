// What can still be read of a damaged store: the first part of a rebuild. Inside lib/store only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "store/codec.h"
#include "store/rebuild.h"
#include "store/salvage.h"
#include "tally/totals.h"

namespace geotally::store {

/// The latest of the versions of a record: those that say that most was counted. More than one
/// when nothing was counted between them.
template <typename Value>
class Latest {
 public:
  void offer(std::uint64_t counted, Value value) {
    if (!versions_.empty() && counted < counted_) return;
    if (counted > counted_) versions_.clear();
    counted_ = counted;
    versions_.push_back(std::move(value));
  }
  [[nodiscard]] bool empty() const { return versions_.empty(); }
  [[nodiscard]] const Value& value() const { return versions_.front(); }
  [[nodiscard]] const std::vector<Value>& versions() const { return versions_; }

 private:
  std::uint64_t counted_ = 0;
  std::vector<Value> versions_;
};

/// Reads in its constructor everything but the accounts. Throws Refused when there is too little
/// to go on from. Counts in `out`, per family, what was kept, unreadable, invalid and missing.
class Remains {
 public:
  Remains(const std::string& data_dir, const std::string& scratch, Rebuilt& out);

  /// Visits what is left of each account, in the order of their keys; `latest`: no version that
  /// cannot be read is later.
  using Visit = std::function<void(tally::AccountKey key, AccountRecord& record, bool latest)>;
  void for_each_account(const Visit& visit);

  /// Visits what a later program wrote beside what this one knows, and the past that an archive
  /// told: bytes, to be copied. Where no version is known to be the latest it is one of them.
  using Copy = std::function<void(Family family, std::string_view key, std::string_view value)>;
  void for_each_passed_over(const Copy& copy);

  /// Whether some records of a family were there that cannot be read, or say nothing.
  [[nodiscard]] bool unsure(Family which) const {
    const Rebuilt::Family& family = out_.families[which];
    return family.unreadable != 0 || family.invalid != 0;
  }
  [[nodiscard]] const Salvage& salvage() const { return salvage_; }

  std::uint64_t seed = 0;
  std::uint64_t floor = 0;  ///< of the counters' base
  CommitRecord commit;
  Latest<CountryTotalsArray> countries;
  std::map<tally::RowId, Latest<tally::Row>> rows;
  bool ahead = false;  ///< a log broke off before `commit`: some of what it had may be lost
  std::map<std::int64_t, std::pair<ClosingHead, std::vector<tally::DayClosing>>> closings;  ///< by day
  std::map<std::uint64_t, Gap> gaps;
  std::map<std::uint32_t, Latest<tally::CityTotals>> cities;
  std::int64_t watermark_us = 0;  ///< never 0 once it is constructed

 private:
  void read_default();
  void read_cells();
  void read_days();
  void read_gaps();
  void read_cities();
  void find_watermark();
  /// Visits the records of a family that decode; counts them, and those that do not.
  template <typename Take>
  void read(Family which, Take take);
  [[nodiscard]] Rebuilt::Family& family(Family family) { return out_.families[family]; }

  const std::string data_dir_;
  Rebuilt& out_;
  Salvage salvage_;
};

}  // namespace geotally::store
