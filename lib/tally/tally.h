// Counting one sample: is it new, what does it change in its account, and what
// does that change in the cells. DEFINITIONS: What is counted, Once.
#pragma once

#include <cstdint>

#include "country/country.h"
#include "event/evidence_kind.h"
#include "tally/account.h"
#include "tally/changes.h"
#include "tally/fence.h"
#include "tally/sample.h"
#include "tally/telling.h"

namespace geotally::tally {

/// Where an account counts, as the resolver or an explicit declaration says.
struct Placement {
  Country country;
  EvidenceKind evidence = EvidenceKind::kNone;
  std::uint8_t confidence = 0;
  std::uint32_t city = 0;  ///< GeoNames id of a city of `country`; 0 = none known
  bool bridged = false;    ///< it is another network's account, told on this one by a bridge
};

/// Whether a sample is news of its account.
struct Admission {
  bool counted = false;
  bool evidence = false;         ///< what it says of the account is newer than what is known
  Drop reason = Drop::kReplayed; ///< why it is not counted
  bool told = false;             ///< it belongs to a repository that is told again
  std::int64_t time_us = 0;      ///< counted: its event time; a told post's is that of its key
};

/// The fence's half: what keeps a record, an identity or a status from counting twice moves when
/// `sample` passes. Its `time_us` is when the server witnessed it.
[[nodiscard]] Admission admit(AccountState& state, AccountPools& pools, const Sample& sample,
                              const StoreFacts& facts);

/// Explicit evidence: keeps what an admitted address record declares, or forgets it when that
/// record is deleted or declares nothing usable any more. Other records do not touch it.
/// Returns whether `state.declared` changed.
bool declare(AccountState& state, const Sample& sample);

/// The counting half, for a sample that admit() let pass, with the event time that it gave.
/// `placement` is where the account counts from now on; a post counts there (evidence of a post
/// speaks before it is counted).
void count(AccountState& state, const Sample& sample, const Placement& placement,
           const StoreFacts& facts, Changes& changes);

/// Takes an account out of the figures, as if it had never been seen; its fence's floor and its
/// newest key stay so that no replay and no telling brings it back. For erasure.
void erase(AccountState& state, AccountPools& pools, Changes& changes);

}  // namespace geotally::tally
