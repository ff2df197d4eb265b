// The definitions, read as plainly as can be: every event is kept, and every figure is computed
// from all of them. Slow, and without any of the machinery that it is held against.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include "tally/sample.h"
#include "tally/snapshot.h"
#include "tally/tally.h"
#include "tally/totals.h"

namespace geotally::tally {

class Model {
 public:
  /// An event arrives; whether it counts.
  bool add(const Sample& sample, const Placement& placement);
  void erase(AccountKey account);

  /// By Country::index().
  [[nodiscard]] std::vector<CountryFigures> figures(std::span<const Window> windows,
                                                    std::int64_t edge_s) const;
  struct Day {
    std::uint64_t posts = 0;
    std::uint64_t deleted = 0;
    std::uint64_t accounts = 0;  ///< new ones
  };
  /// What was counted on each UTC day, by Country::index().
  [[nodiscard]] const std::map<std::int64_t, std::map<std::size_t, Day>>& days() const {
    return days_;
  }
  /// By city; those that have posts or accounts.
  [[nodiscard]] std::map<std::uint32_t, CityTotals> cities() const;
  /// Where the account counts.
  [[nodiscard]] Placement placement(AccountKey account) const;

 private:
  struct Account {
    bool known = false;
    bool gone = false;
    Placement placement;
    std::vector<std::int64_t> posts;  // times
  };
  struct Post {
    std::int64_t time_s = 0;
    Country country;
    std::uint32_t city = 0;
  };

  std::map<AccountKey, Account> accounts_;
  std::map<AccountKey, std::int64_t> status_us_;
  std::map<AccountKey, std::int64_t> identity_us_;
  std::set<std::tuple<AccountKey, std::uint64_t, std::uint64_t>> records_;
  std::vector<Post> posts_;
  std::vector<Country> deletions_;
  std::map<std::int64_t, std::map<std::size_t, Day>> days_;
};

}  // namespace geotally::tally
