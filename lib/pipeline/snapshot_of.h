// From what a commit holds to what readers see.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "event/gap.h"
#include "store/store.h"
#include "tally/snapshot.h"
#include "tally/totals.h"

namespace geotally::pipeline {

/// The figures of the commit `record`, with counters from `base`, over `windows`; `missing`: the
/// gaps that windows can touch.
[[nodiscard]] std::shared_ptr<const tally::Snapshot> snapshot_of(const store::CommitRecord& record,
                                                                 const store::CounterBase& base,
                                                                 const tally::Totals& totals,
                                                                 std::vector<tally::Window> windows,
                                                                 std::span<const Gap> missing);

/// Gaps of `store` that a window can touch at its last commit.
[[nodiscard]] std::vector<Gap> recent_gaps(const store::Store& store);

}  // namespace geotally::pipeline
