#include "tally/tally.h"

#include <cassert>

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

}  // namespace

Admission admit(AccountState& state, FencePool& fences, const Sample& sample) {
  if (sample.kind == EventKind::kIdentity || sample.kind == EventKind::kAccount) {
    const bool identity = sample.kind == EventKind::kIdentity;
    std::int64_t& time_us = identity ? state.identity_time_us : state.status_time_us;
    std::uint32_t& sequence = identity ? state.identity_sequence : state.status_sequence;
    if (!newer(sample.upstream_time_us, sample.upstream_sequence, time_us, sequence)) return {};
    time_us = sample.upstream_time_us;
    sequence = sample.upstream_sequence;
    return {.counted = true, .evidence = true};
  }
  switch (fences.admit(state.fence, sample.revision, fence_tag(sample), seconds(sample.time_us))) {
    case FencePool::Admission::kReplayed:
      return {};
    case FencePool::Admission::kNewLate:
      return {.counted = true, .evidence = false};
    case FencePool::Admission::kNew:
      break;
  }
  return {.counted = true, .evidence = true};
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
           Changes& changes) {
  const Standing before = standing_of(state);
  const std::uint32_t time_s = seconds(sample.time_us);
  state.country = placement.country;
  state.evidence = placement.evidence;
  state.confidence = placement.confidence;
  state.city = placement.city;

  if (makes_known(sample) && !state.has(AccountState::kKnown)) {
    state.set(AccountState::kKnown, true);
    state.first_day = static_cast<std::uint16_t>(bucket_of(RowKind::kDay, time_s));
    if (CellChange* day = changes.cell(RowKind::kDay, state.first_day, state.country)) {
      ++day->accounts;
    }
  }

  switch (sample.kind) {
    case EventKind::kPost:
      record_post(state, time_s);
      ++changes.country(state.country).posts;
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

void erase(AccountState& state, FencePool& fences, Changes& changes) {
  fences.age(state.fence, UINT32_MAX);
  AccountState left;
  left.fence = state.fence;
  left.identity_time_us = state.identity_time_us;
  left.status_time_us = state.status_time_us;
  left.identity_sequence = state.identity_sequence;
  left.status_sequence = state.status_sequence;
  changes.move(standing_of(state), {});
  state = left;
}

}  // namespace geotally::tally
