#include "tally/telling.h"

#include <algorithm>

#include "tally/order.h"
#include "tally/windows.h"

namespace geotally::tally {
namespace {

// A row that was witnessed so much later than the last told one is not part of its telling.
constexpr std::int64_t kTellingEndsAfterUs = 60'000'000;
// On a connection that may have missed the `#sync`, a create whose key is so much older than its
// revision is told.
constexpr std::int64_t kOldKeyUs = kDaySeconds * kMicrosPerSecond;
// A store without an archive takes told posts no older than this: its longest window.
constexpr std::int64_t kToldAgeMaxUs = 90 * kDaySeconds * kMicrosPerSecond;

// No revision of the repository below R is news from now on.
void raise_below(AccountState& state, AccountPools& pools, std::uint64_t revision,
                 std::int64_t witnessed_us) {
  pools.fences.raise_floor(state.fence, std::min(revision - 1, believed_order(witnessed_us)));
}

void begin(AccountState& state, AccountPools& pools, const Sample& row, bool awaits_first) {
  pools.details.edit(state).telling = {.revision = row.revision,
                                       .newest_key = state.newest_key,
                                       .last_key = 0,
                                       .witnessed_us = row.time_us,
                                       .awaits_first = awaits_first};
  state.set(AccountState::kTelling, true);
  raise_below(state, pools, row.revision, row.time_us);
}

// A larger revision of what is being told. What was counted meanwhile may be in it.
void move_revision(AccountState& state, AccountPools& pools, Telling& telling, const Sample& row) {
  telling.revision = row.revision;
  telling.newest_key = state.newest_key;
  raise_below(state, pools, row.revision, row.time_us);
}

void close_if_over(AccountState& state, AccountPools& pools, std::int64_t witnessed_us) {
  if (!state.has(AccountState::kTelling)) return;
  if (witnessed_us - pools.details.of(state).telling.witnessed_us > kTellingEndsAfterUs) {
    close_telling(state, pools);
  }
}

bool has_old_key(const Sample& row) {
  return row.kind == EventKind::kPost && row.record_key != 0 &&
         time_of(row.record_key) < time_of(row.revision) - kOldKeyUs;
}

ToldRow admit_told_post(AccountState& state, AccountPools& pools, const Sample& row,
                        const StoreFacts& facts) {
  const AccountDetails& details = pools.details.of(state);
  const std::uint64_t key = row.record_key;
  if (key < first_order_of(kNetworkBeginUs) || key > believed_order(row.time_us)) return {};
  if (!facts.archive) {
    const std::int64_t after_us = std::max(facts.observed_since_us, row.time_us - kToldAgeMaxUs);
    if (key <= first_order_of(after_us)) return {};
  }
  const std::uint64_t newest = details.telling.newest_key;
  if (newest != 0 && key >= details.oldest_key && key <= newest) return {};
  if (key <= details.telling.last_key) {
    // After a reconnect what was told comes again.
    if (key < details.telling.last_key && !row.overlap) ++pools.told_out_of_order;
    return {};
  }
  pools.details.edit(state).telling.last_key = key;
  state.newest_key = std::max(state.newest_key, key);
  const std::int64_t imported_us = row.upstream_time_us;
  const bool imported =
      imported_us >= kNetworkBeginUs && imported_us <= row.time_us + kOrderAheadMaxUs;
  return {.accepted = true, .time_us = imported ? imported_us : time_of(key)};
}

}  // namespace

void open_telling(AccountState& state, AccountPools& pools, const Sample& sync) {
  close_if_over(state, pools, sync.time_us);
  if (!state.has(AccountState::kTelling)) {
    begin(state, pools, sync, true);
    return;
  }
  Telling& telling = pools.details.edit(state).telling;
  if (sync.revision > telling.revision) move_revision(state, pools, telling, sync);
  if (sync.time_us < telling.witnessed_us) return;
  telling.witnessed_us = sync.time_us;
  telling.awaits_first = true;
}

void close_telling(AccountState& state, AccountPools& pools) {
  if (!state.has(AccountState::kTelling)) return;
  AccountDetails& details = pools.details.edit(state);
  const Telling& telling = details.telling;
  pools.fences.raise_floor(state.fence,
                           std::min(telling.revision, believed_order(telling.witnessed_us)));
  details.telling = {};
  details.oldest_key = 0;
  state.set(AccountState::kTelling, false);
  state.set(AccountState::kTold, true);
  pools.details.tidy(state);
}

bool is_told(AccountState& state, AccountPools& pools, const Sample& row) {
  close_if_over(state, pools, row.time_us);
  if (!row.created) return false;
  const bool missed_sync =
      row.entered && has_old_key(row) && row.revision <= believed_order(row.time_us);
  if (!state.has(AccountState::kTelling)) {
    if (!missed_sync) return false;
    begin(state, pools, row, false);
    return true;
  }
  Telling& telling = pools.details.edit(state).telling;
  if (telling.awaits_first && row.time_us == telling.witnessed_us &&
      row.revision >= telling.revision) {
    telling.awaits_first = false;
    if (row.revision > telling.revision) move_revision(state, pools, telling, row);
  } else if (missed_sync && row.revision > telling.revision) {
    move_revision(state, pools, telling, row);
  }
  return row.revision == telling.revision;
}

ToldRow admit_told(AccountState& state, AccountPools& pools, const Sample& row,
                   const StoreFacts& facts) {
  Telling& telling = pools.details.edit(state).telling;
  telling.witnessed_us = std::max(telling.witnessed_us, row.time_us);
  switch (row.kind) {
    case EventKind::kPost:
      return admit_told_post(state, pools, row, facts);
    case EventKind::kProfile:
      if (state.erased() || row.revision < state.profile_revision) return {};
      state.profile_revision = row.revision;
      return {.accepted = true, .time_us = row.time_us};
    case EventKind::kAddress: {
      AccountDetails& details = pools.details.edit(state);
      if (state.erased() || row.revision < details.address_revision) return {};
      details.address_revision = row.revision;
      return {.accepted = true, .time_us = row.time_us};
    }
    default:
      return {};
  }
}

}  // namespace geotally::tally
