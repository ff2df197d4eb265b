// Brings rows of posts into agreement of which some were lost or are older than the others. Inside
// lib/store only.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "store/codec.h"
#include "tally/totals.h"
#include "tally/windows.h"

namespace geotally::store {

using Rows = std::map<tally::RowId, tally::Row>;

/// Counts of posts only grow, so what a row has lost makes it too small, never too large: a bucket
/// has as many as it says, or as its finer buckets say together, whichever is more. What a bucket
/// has more than its finer ones goes to the last of these, a day's or a country's own to a day that
/// is missing. So no post is lost while one of its rows is readable.
struct Reconciled {
  std::set<tally::RowId> changed;  ///< buckets within which posts may stand at a wrong place
  bool anywhere = false;           ///< and that may be any since the first day
};
/// Changes `rows` (those that are kept at `watermark_s`, and all days) and the posts and deletions
/// in `countries`. `first_day`: UTC day with which the store began.
[[nodiscard]] Reconciled reconcile(Rows& rows, CountryTotalsArray& countries,
                                   std::int64_t first_day, std::int64_t watermark_s);

/// The row, made when there is none.
tally::Row& row_of(Rows& rows, tally::RowId id);

}  // namespace geotally::store
