#include "http/api/basis.h"

#include <algorithm>

#include "http/api/parameters.h"
#include "tally/coverage.h"

namespace geotally::http {
namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;

double seconds(std::int64_t time_us) { return static_cast<double>(time_us) / 1e6; }

}  // namespace

std::optional<double> ratio(std::uint64_t a, std::uint64_t b) {
  if (b == 0) return std::nullopt;
  return static_cast<double>(a) / static_cast<double>(b);
}

void fill(v1::Basis& basis, const tally::Snapshot& snapshot) {
  basis.set_commit(snapshot.commit);
  basis.set_committed_at(time_text(snapshot.committed_at_us));
  basis.set_edge(time_text(snapshot.edge_us));
  basis.set_watermark(time_text(snapshot.watermark_us));
  basis.set_ingested_until(time_text(snapshot.ingested_until_us));
  basis.set_observed_since(time_text(snapshot.observed_since_us));
  for (std::size_t i = 0; i < snapshot.windows.size(); ++i) {
    fill(*basis.add_coverage(), snapshot, i);
  }
  const std::uint64_t accounts =
      sum(snapshot.countries, [](const auto& figures) { return figures.accounts; });
  const std::uint64_t unknown = snapshot.countries[kUnknownCountry.index()].accounts;
  basis.set_accounts(accounts);
  basis.set_unknown_accounts(unknown);
  set(basis, &v1::Basis::set_unknown_share, ratio(unknown, accounts));
  basis.set_gaps(snapshot.gaps);
  basis.set_gap_seconds(seconds(snapshot.gap_us));
}

void fill(v1::Coverage& coverage, const tally::Snapshot& snapshot, std::size_t window) {
  const std::int64_t length_s = snapshot.windows[window].seconds;
  // The current bucket is partly filled, so that no window ever covers its whole length.
  const std::int64_t whole_us =
      snapshot.edge_us - tally::window_start_us(length_s, snapshot.edge_us);
  coverage.set_window(snapshot.windows[window].name);
  coverage.set_window_seconds(static_cast<double>(length_s));
  coverage.set_covered_seconds(seconds(snapshot.window_coverage_us[window]));
  coverage.set_complete(snapshot.window_coverage_us[window] >= whole_us);
}

void fill(v1::Coverage& coverage, const Days& days, std::int32_t from, std::int32_t to,
          std::int64_t observed_since_us) {
  std::int64_t covered_us = 0;
  days.each(from, to, [&](const Day& day) {
    const std::int64_t before_us =
        std::clamp<std::int64_t>(observed_since_us - std::int64_t{day.day} * kDayUs, 0, kDayUs);
    covered_us += std::max<std::int64_t>(kDayUs - before_us - day.gap_us, 0);
  });
  const std::int64_t whole_us = (std::int64_t{to} - from + 1) * kDayUs;
  coverage.set_window(std::to_string(to - from + 1) + "d");
  coverage.set_window_seconds(seconds(whole_us));
  coverage.set_covered_seconds(seconds(covered_us));
  coverage.set_complete(covered_us >= whole_us);
}

void fill(v1::Region& region, const Region& source) {
  region.set_code(code_text(source.code));
  region.set_name(std::string(source.name_en));
  region.set_name_fr(std::string(source.name_fr));
}

void fill(v1::Country& country, Country source) {
  country.set_code(std::string(source.code()));
  country.set_name(std::string(source.name_en()));
  country.set_name_fr(std::string(source.name_fr()));
  if (const Region* region = find_region(source.region())) {
    fill(*country.mutable_region(), *region);
  }
  if (const Region* subregion = find_region(source.subregion())) {
    fill(*country.mutable_subregion(), *subregion);
  }
  country.set_population(source.population());
}

}  // namespace geotally::http
