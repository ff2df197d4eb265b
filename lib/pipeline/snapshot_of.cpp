#include "pipeline/snapshot_of.h"

#include <utility>

#include "tally/coverage.h"

namespace geotally::pipeline {

std::shared_ptr<const tally::Snapshot> snapshot_of(const store::CommitRecord& record,
                                                   const store::CounterBase& base,
                                                   const tally::Totals& totals,
                                                   std::vector<tally::Window> windows,
                                                   std::span<const Gap> missing) {
  auto snapshot = std::make_shared<tally::Snapshot>();
  snapshot->commit = record.number;
  snapshot->committed_at_us = record.committed_at_us;
  snapshot->edge_us = record.edge_us;
  snapshot->watermark_us = record.watermark_us;
  snapshot->observed_since_us = record.observed_since_us;
  snapshot->ingested_until_us = record.ingested_until_us;
  snapshot->gaps = record.gaps;
  snapshot->gap_us = record.gap_us;
  snapshot->windows = std::move(windows);
  for (const auto& [city, total] : totals.cities()) {
    if (total == tally::CityTotals{}) continue;
    snapshot->cities.push_back({city, total.posts, total.accounts});
  }
  snapshot->countries = totals.figures(snapshot->windows, record.edge_us / tally::kMicrosPerSecond);
  snapshot->gaps_base = base.gaps;
  snapshot->gap_us_base = base.gap_us;
  for (std::size_t i = 0; i < snapshot->countries.size(); ++i) {
    snapshot->countries[i].posts_base = base.posts[i];
    snapshot->countries[i].posts_deleted_base = base.posts_deleted[i];
  }
  const tally::Observed observed{record.observed_since_us, record.ingested_until_us};
  for (const tally::Window& window : snapshot->windows) {
    snapshot->window_coverage_us.push_back(
        tally::coverage_us(window.seconds, record.edge_us, observed, missing));
  }
  return snapshot;
}

std::vector<Gap> recent_gaps(const store::Store& store) {
  return store.gaps(store.last_commit().watermark_us -
                    tally::kTooOldSeconds * tally::kMicrosPerSecond);
}

}  // namespace geotally::pipeline
