// Repositories that a server tells again (DEFINITIONS: Told rows).
//
// After a `#sync` a Jetstream server sends every record of that repository once more as a create,
// all with one revision, by the thousand. The fence cannot judge them: it knows revisions of the
// last minute, and these all carry the same. Their keys can: a server tells a repository in the
// order of its keys, and the account keeps the newest key that was ever counted.
#pragma once

#include <cstdint>

#include "event/event.h"
#include "tally/account.h"
#include "tally/fence.h"
#include "tally/sample.h"

namespace geotally::tally {

/// What the accounts of one shard share beside their states.
struct AccountPools {
  FencePool fences;
  DetailPool details;
  /// Told posts that were refused because their key did not rise, since the start.
  std::uint64_t told_out_of_order = 0;
};

/// What of the whole store decides about a row.
struct StoreFacts {
  bool archive = false;                ///< it has read the network's archive, or is reading it
  std::int64_t observed_since_us = 0;  ///< 0 = nothing yet
};

/// A told row that was judged. `time_us` is set on acceptance.
struct ToldRow {
  bool accepted = false;
  std::int64_t time_us = 0;  ///< its event time: a post's is that of its key
};

/// A `#sync`: opens a telling, or moves the one that is open. Its revision is believed.
void open_telling(AccountState& state, AccountPools& pools, const Sample& sync);

/// Ends the telling that is open, if any: what still comes of it is replayed.
void close_telling(AccountState& state, AccountPools& pools);

/// To be asked of each record of an account whose telling is open, or that was entered; closes the
/// telling when `row` comes too late for it. Whether the row is told.
[[nodiscard]] bool is_told(AccountState& state, AccountPools& pools, const Sample& row);

/// Judges a row of which is_told() said so.
[[nodiscard]] ToldRow admit_told(AccountState& state, AccountPools& pools, const Sample& row,
                                 const StoreFacts& facts);

}  // namespace geotally::tally
