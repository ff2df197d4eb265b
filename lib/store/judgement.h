// What a rebuilt store is to say, from what is left of the damaged one: the second part of a
// rebuild. Inside lib/store only.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "store/reconcile.h"
#include "store/remains.h"

namespace geotally::store {

struct Judgement {
  /// As the accounts say.
  tally::Totals counted;
  std::map<std::int64_t, std::array<std::uint32_t, Country::kLimit>> new_accounts;  ///< by day

  /// What comes of both: posts and deletions of rows and countries.
  Rows rows;
  CountryTotalsArray countries{};
  CommitRecord commit;
  std::int64_t watermark_us = 0;
  std::uint64_t floor = 0;  ///< of accounts that are not known to be the latest; 0 = all are
};

/// Visits the accounts once. Adds to `out` what is missing or was counted again, and the gaps.
[[nodiscard]] Judgement judge(Remains& remains, Rebuilt& out);

}  // namespace geotally::store
