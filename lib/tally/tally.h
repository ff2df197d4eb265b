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

namespace geotally::tally {

/// Where an account counts, as the resolver or an explicit declaration says.
struct Placement {
  Country country;
  EvidenceKind evidence = EvidenceKind::kNone;
  std::uint8_t confidence = 0;
  std::uint32_t city = 0;  ///< GeoNames id of a city of `country`; 0 = none known
};

/// Whether a sample passes the fence of its account.
struct Admission {
  bool counted = false;   ///< false = replayed
  bool evidence = false;  ///< what it says of the account is newer than what is known
};

/// The fence's half: `state.fence`, or the time of identity and status, moves when it passes.
[[nodiscard]] Admission admit(AccountState& state, FencePool& fences, const Sample& sample);

/// Explicit evidence: keeps what an admitted address record declares, or forgets it when that
/// record is deleted or declares nothing usable any more. Other records do not touch it.
/// Returns whether `state.declared` changed.
bool declare(AccountState& state, const Sample& sample);

/// The counting half, for a sample that admit() let pass. `placement` is where the account
/// counts from now on; a post counts there (evidence of a post speaks before it is counted).
void count(AccountState& state, const Sample& sample, const Placement& placement, Changes& changes);

/// Takes an account out of the figures, as if it had never been seen; its fence's floor
/// stays so that no replay brings it back. For erasure.
void erase(AccountState& state, FencePool& fences, Changes& changes);

}  // namespace geotally::tally
