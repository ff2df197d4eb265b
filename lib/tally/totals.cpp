#include "tally/totals.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace geotally::tally {
namespace {

// Total plus difference; below zero, or beyond its type, a promise is broken.
template <typename Total>
Total sum(Total total, std::int64_t difference) {
  const auto result = static_cast<std::int64_t>(total) + difference;
  GEOTALLY_CHECK(
      result >= 0 && static_cast<std::uint64_t>(result) <= std::numeric_limits<Total>::max(),
      "a cell left its range");
  return static_cast<Total>(result);
}

}  // namespace

Row& Totals::touch(RowId id) {
  std::unique_ptr<Row>& row = rows_[id];
  if (!row) {
    row = std::make_unique<Row>();
    if (id.kind == RowKind::kDay) row->deleted.resize(Country::kLimit);
  }
  touched_[id] = row.get();
  return *row;
}

void Totals::apply(const Changes& changes, std::int64_t watermark_s) {
  for (const auto& part : changes.parts()) {
    // Changes hold nothing that was expired at the mark before, which is where these totals are.
    GEOTALLY_CHECK(part->bucket >= first_kept(part->kind, watermark_s_),
                   "a change of an expired bucket");
    // A commit may span days, of which most seconds would come only to go at once. A row of a day
    // stays stored for ever.
    if (part->kind != RowKind::kDay && part->bucket < first_kept(part->kind, watermark_s)) continue;
    Row& row = touch({part->kind, part->bucket});
    for (std::size_t i = 0; i < RowPart::kCountries; ++i) {
      const CellChange& cell = part->cells[i];
      const std::size_t country = part->first + i;
      if (cell.posts != 0) row.posts[country] = sum(row.posts[country], cell.posts);
      if (cell.accounts != 0) row.accounts[country] = sum(row.accounts[country], cell.accounts);
      if (cell.deleted != 0) row.deleted[country] = sum(row.deleted[country], cell.deleted);
    }
  }
  const std::size_t countries = Country::count();
  for (std::size_t i = 0; i < countries; ++i) {
    const CountryChange& change = changes.countries()[i];
    CountryTotals& total = countries_[i];
    const CountryTotals before = total;
    total.posts = sum(total.posts, change.posts);
    total.posts_deleted = sum(total.posts_deleted, change.posts_deleted);
    total.accounts = sum(total.accounts, change.accounts);
    total.never = sum(total.never, change.never);
    total.once = sum(total.once, change.once);
    total.confidence = sum(total.confidence, change.confidence);
    total.automated = sum(total.automated, change.automated);
    total.bridged = sum(total.bridged, change.bridged);
    for (std::size_t kind = 0; kind < kEvidenceKinds; ++kind) {
      total.evidence[kind] = sum(total.evidence[kind], change.evidence[kind]);
    }
    countries_touched_ = countries_touched_ || !(before == total);
  }
  for (const auto& [city, change] : changes.cities()) {
    if (change.posts == 0 && change.accounts == 0) continue;
    CityTotals& total = cities_[city];
    total.posts = sum(total.posts, change.posts);
    total.accounts = sum(total.accounts, change.accounts);
    cities_touched_.push_back(city);
  }
}

void Totals::expire(std::int64_t watermark_s) {
  if (watermark_s <= watermark_s_) return;
  watermark_s_ = watermark_s;
  for (std::size_t i = 0; i < kRowKinds; ++i) {
    const auto kind = static_cast<RowKind>(i);
    const RowId end{kind, first_kept(kind, watermark_s)};
    auto row = rows_.lower_bound({kind, 0});
    while (row != rows_.end() && row->first < end) {
      if (kind != RowKind::kDay) {
        touched_.erase(row->first);
        expired_.push_back(row->first);
      } else if (touched_.contains(row->first)) {
        ++row;  // still to be stored; it leaves memory with the next expiry
        continue;
      }
      row = rows_.erase(row);
    }
  }
}

void Totals::clear_touched() {
  touched_.clear();
  expired_.clear();
  cities_touched_.clear();
  countries_touched_ = false;
}

const Row* Totals::row(RowId id) const {
  const auto found = rows_.find(id);
  return found == rows_.end() ? nullptr : found->second.get();
}

std::vector<CountryFigures> Totals::figures(std::span<const Window> windows,
                                            std::int64_t edge_s) const {
  GEOTALLY_CHECK(windows.size() <= CountryFigures::kWindowsMax, "more windows than figures hold");
  const std::size_t countries = Country::count();
  std::vector<CountryFigures> figures(countries);
  for (std::size_t i = 0; i < countries; ++i) {
    const CountryTotals& total = countries_[i];
    CountryFigures& out = figures[i];
    out.posts = total.posts;
    out.posts_deleted = total.posts_deleted;
    out.accounts = total.accounts;
    out.evidence = total.evidence;
    out.confidence_sum = total.confidence;
    out.automated = total.automated;
    out.bridged = total.bridged;
    out.engagement[static_cast<std::size_t>(Engagement::kNever)] = total.never;
    out.engagement[static_cast<std::size_t>(Engagement::kOnce)] = total.once;
  }

  // Engaged until the day on which they lapse.
  const std::int64_t today = bucket_of(RowKind::kLapse, edge_s);
  constexpr auto kEngaged = static_cast<std::size_t>(Engagement::kEngaged);
  for (auto row = rows_.upper_bound({RowKind::kLapse, today});
       row != rows_.end() && row->first.kind == RowKind::kLapse; ++row) {
    for (std::size_t i = 0; i < countries; ++i) {
      figures[i].engagement[kEngaged] += row->second->accounts[i];
    }
  }
  for (CountryFigures& out : figures) {
    const std::uint64_t others = out.engagement[0] + out.engagement[1] + out.engagement[kEngaged];
    out.engagement[static_cast<std::size_t>(Engagement::kOccasional)] =
        static_cast<std::uint64_t>(sum(out.accounts, -static_cast<std::int64_t>(others)));
  }

  // One pass over each tier: rows from the edge backwards into plain sums, which are copied
  // out where a window ends.
  std::vector<std::size_t> order(windows.size());
  for (std::size_t w = 0; w < order.size(); ++w) order[w] = w;
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return windows[a].seconds < windows[b].seconds; });
  for (const RowKind tier : kTiers) {
    std::array<std::uint64_t, Country::kLimit> posts{};
    std::array<std::uint64_t, Country::kLimit> active{};
    auto row = rows_.upper_bound({tier, bucket_of(tier, edge_s)});
    for (const std::size_t w : order) {
      if (tier_of(windows[w].seconds) != tier) continue;
      const RowId first{
          tier, std::max<std::int64_t>(0, first_in_window(tier, windows[w].seconds, edge_s))};
      while (row != rows_.begin() && std::prev(row)->first >= first) {
        --row;
        for (std::size_t i = 0; i < countries; ++i) posts[i] += row->second->posts[i];
        for (std::size_t i = 0; i < countries; ++i) active[i] += row->second->accounts[i];
      }
      for (std::size_t i = 0; i < countries; ++i) {
        figures[i].window_posts[w] = posts[i];
        figures[i].window_active[w] = active[i];
      }
    }
  }
  return figures;
}

std::vector<DayClosing> Totals::close_day(std::int64_t day) const {
  std::vector<Window> windows;
  for (const std::int64_t seconds : kDayRowWindows) windows.push_back({"", seconds});
  const std::vector<CountryFigures> at_end = figures(windows, (day + 1) * kDaySeconds - 1);
  std::vector<DayClosing> closing(at_end.size());
  for (std::size_t i = 0; i < at_end.size(); ++i) {
    closing[i].accounts = at_end[i].accounts;
    closing[i].engagement = at_end[i].engagement;
    closing[i].evidence = at_end[i].evidence;
    for (std::size_t w = 0; w < windows.size(); ++w) {
      closing[i].active[w] = at_end[i].window_active[w];
    }
  }
  return closing;
}

}  // namespace geotally::tally
