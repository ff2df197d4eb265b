#include "tally/tally.h"

#include <algorithm>

#include "tally/order.h"

namespace geotally::tally {
namespace {

std::uint32_t seconds(std::int64_t time_us) {
  return static_cast<std::uint32_t>(time_us / kMicrosPerSecond);
}

// Newer by time; of one time, by the upstream's sequence, of which the low bits are kept.
// Hosts number differently, so of two hosts' events of one time either may win; they are the
// same event then, and to apply it again changes nothing.
bool newer(std::int64_t time_us, std::uint32_t sequence, std::int64_t than_us,
           std::uint32_t than_sequence) {
  if (time_us != than_us) return time_us > than_us;
  return static_cast<std::int32_t>(sequence - than_sequence) > 0;
}

bool makes_known(const Sample& sample) {
  switch (sample.kind) {
    case EventKind::kPost:
    case EventKind::kProfile:
    case EventKind::kAddress:
    case EventKind::kIdentity:
      return true;
    case EventKind::kAccount:
      return sample.status == AccountStatus::kActive;
    case EventKind::kPostDelete:
    case EventKind::kProfileDelete:
    case EventKind::kAddressDelete:
    case EventKind::kSync:
      return false;
  }
  return false;
}

// Only an address that declares a country can be what decides; any other says that its record
// does not.
FenceTag fence_tag(const Sample& sample) {
  const auto key = static_cast<std::uint16_t>(sample.record_key);
  switch (sample.kind) {
    case EventKind::kProfile:
    case EventKind::kProfileDelete:
      return {sample.discriminator, FenceTopic::kProfile};
    case EventKind::kAddress:
      return {sample.discriminator,
              sample.country.known() ? FenceTopic::kAddress : FenceTopic::kAddressGone, key};
    case EventKind::kAddressDelete:
      return {sample.discriminator, FenceTopic::kAddressGone, key};
    default:
      return {sample.discriminator, FenceTopic::kOther};
  }
}

void apply_status(AccountState& state, AccountStatus status) {
  switch (status) {
    case AccountStatus::kActive:
      state.set(AccountState::kGone | AccountState::kDeleted, false);
      break;
    case AccountStatus::kHostTrouble:
      break;
    case AccountStatus::kDeleted:
      state.set(AccountState::kGone | AccountState::kDeleted, true);
      break;
    case AccountStatus::kGone:
      state.set(AccountState::kGone, true);
      state.set(AccountState::kDeleted, false);
      break;
  }
}

Admission admit_last_writer(AccountState& state, AccountPools& pools, const Sample& sample) {
  AccountDetails& details = pools.details.edit(state);
  const bool identity = sample.kind == EventKind::kIdentity;
  std::int64_t& time_us = identity ? details.identity_time_us : details.status_time_us;
  std::uint32_t& sequence = identity ? details.identity_sequence : details.status_sequence;
  if (!newer(sample.upstream_time_us, sample.upstream_sequence, time_us, sequence)) {
    pools.details.tidy(state);
    return {};
  }
  time_us = sample.upstream_time_us;
  sequence = sample.upstream_sequence;
  return {.counted = true, .evidence = true, .time_us = sample.time_us};
}

// Keeps what a telling will be judged by.
void note_record(AccountState& state, AccountPools& pools, const Sample& sample,
                 const StoreFacts& facts) {
  switch (sample.kind) {
    case EventKind::kPost: {
      const std::uint64_t key = sample.record_key;
      if (key == 0) return;
      constexpr std::uint8_t kToldEver = AccountState::kTold | AccountState::kTelling;
      if (facts.archive && !state.has(kToldEver)) [[unlikely]] {
        std::uint64_t& oldest = pools.details.edit(state).oldest_key;
        if (state.newest_key == 0 || key < oldest) oldest = key;
      }
      state.newest_key = std::max(state.newest_key, key);
      break;
    }
    case EventKind::kProfile:
    case EventKind::kProfileDelete:
      state.profile_revision = std::max(state.profile_revision, sample.revision);
      break;
    case EventKind::kAddress:
    case EventKind::kAddressDelete: {
      std::uint64_t& revision = pools.details.edit(state).address_revision;
      revision = std::max(revision, sample.revision);
      break;
    }
    default:
      break;
  }
}

}  // namespace

Admission admit(AccountState& state, AccountPools& pools, const Sample& sample,
                const StoreFacts& facts) {
  if (sample.kind == EventKind::kIdentity || sample.kind == EventKind::kAccount) {
    return admit_last_writer(state, pools, sample);
  }
  if (state.has(AccountState::kTelling) || sample.entered) [[unlikely]] {
    if (sample.kind != EventKind::kSync) {
      if (is_told(state, pools, sample)) {
        const ToldRow row = admit_told(state, pools, sample, facts);
        return {.counted = row.accepted,
                .evidence = row.accepted && !state.erased(),
                .reason = Drop::kResync,
                .told = true,
                .time_us = row.time_us};
      }
      if (sample.revision < pools.details.of(state).telling.revision) return {};
    }
  }
  if (sample.revision > believed_order(sample.time_us)) {
    return {.reason = Drop::kFutureRevision};
  }
  if (sample.kind == EventKind::kSync) {
    open_telling(state, pools, sample);
    return {.counted = true, .time_us = sample.time_us};
  }
  const FencePool::Admission fence = pools.fences.admit(
      state.fence, sample.revision, fence_tag(sample), seconds(sample.time_us));
  if (fence == FencePool::Admission::kReplayed) return {};
  note_record(state, pools, sample, facts);
  return {.counted = true,
          .evidence = fence == FencePool::Admission::kNew,
          .time_us = sample.time_us};
}

bool declare(AccountState& state, const Sample& sample) {
  const Country before = state.declared;
  const auto key = static_cast<std::uint16_t>(sample.record_key);
  if (sample.kind == EventKind::kAddress && sample.country.known()) {
    state.declared = sample.country;
    state.address_key = key;
  } else if ((sample.kind == EventKind::kAddress || sample.kind == EventKind::kAddressDelete) &&
             key == state.address_key) {
    state.declared = kUnknownCountry;
    state.address_key = 0;
  }
  return state.declared != before;
}

void count(AccountState& state, const Sample& sample, const Placement& placement,
           const StoreFacts& facts, Changes& changes) {
  const Standing before = standing_of(state);
  const std::uint32_t time_s = seconds(sample.time_us);
  state.country = placement.country;
  state.evidence = placement.evidence;
  state.confidence = placement.confidence;
  state.city = placement.city;
  state.set(AccountState::kBridged, placement.bridged);

  // A telling makes no erased account known again, though what it tells of it counts.
  const bool stays_erased = sample.told && state.erased();
  if (makes_known(sample) && !state.has(AccountState::kKnown) && !stays_erased) {
    if (state.erased()) state.set(AccountState::kDeleted, false);
    state.set(AccountState::kKnown, true);
    state.first_day = static_cast<std::uint16_t>(bucket_of(RowKind::kDay, time_s));
    if (CellChange* day = changes.cell(RowKind::kDay, state.first_day, state.country)) {
      ++day->accounts;
    }
  }

  switch (sample.kind) {
    case EventKind::kPost:
      if (!stays_erased) record_post(state, time_s);
      ++changes.country(state.country).posts;
      if (sample.told && sample.time_us < facts.observed_since_us) {
        ++changes.country(state.country).base_posts;
      }
      if (state.city != 0) ++changes.city(state.city).posts;
      for (const RowKind kind :
           {RowKind::kSecond, RowKind::kMinute, RowKind::kHour, RowKind::kDay}) {
        if (CellChange* cell = changes.cell(kind, bucket_of(kind, time_s), state.country)) {
          ++cell->posts;
        }
      }
      break;
    case EventKind::kPostDelete:
      ++changes.country(state.country).posts_deleted;
      if (CellChange* day =
              changes.cell(RowKind::kDay, bucket_of(RowKind::kDay, time_s), state.country)) {
        ++day->deleted;
      }
      break;
    case EventKind::kAccount:
      apply_status(state, sample.status);
      break;
    default:
      break;
  }
  changes.move(before, standing_of(state));
}

void erase(AccountState& state, AccountPools& pools, Changes& changes) {
  const Standing before = standing_of(state);
  close_telling(state, pools);
  pools.fences.age(state.fence, UINT32_MAX);
  AccountState left;
  left.fence = state.fence;
  left.newest_key = state.newest_key;
  left.details = state.details;
  left.set(AccountState::kTold, state.has(AccountState::kTold));
  left.set(AccountState::kDeleted, true);
  if (left.details != 0) {
    AccountDetails kept;
    AccountDetails& details = pools.details.edit(left);
    kept.identity_time_us = details.identity_time_us;
    kept.status_time_us = details.status_time_us;
    kept.identity_sequence = details.identity_sequence;
    kept.status_sequence = details.status_sequence;
    details = kept;
    pools.details.tidy(left);
  }
  changes.move(before, {});
  state = left;
}

}  // namespace geotally::tally
