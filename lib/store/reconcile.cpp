#include "store/reconcile.h"

#include <algorithm>
#include <array>
#include <vector>

namespace geotally::store {
namespace {

using tally::Row;
using tally::RowId;
using tally::RowKind;
using Posts = std::array<std::uint64_t, Country::kLimit>;

struct Tiers {
  RowKind fine;
  RowKind coarse;
  [[nodiscard]] std::int64_t ratio() const {
    return tally::bucket_seconds(coarse) / tally::bucket_seconds(fine);
  }
  /// The first coarse bucket of which all fine ones are kept.
  [[nodiscard]] std::int64_t first_whole(std::int64_t watermark_s) const {
    return (tally::first_kept(fine, watermark_s) + ratio() - 1) / ratio();
  }
};
constexpr std::array<Tiers, 3> kFinestFirst = {Tiers{RowKind::kSecond, RowKind::kMinute},
                                               Tiers{RowKind::kMinute, RowKind::kHour},
                                               Tiers{RowKind::kHour, RowKind::kDay}};

std::map<std::int64_t, Posts> sums_of(const Rows& rows, const Tiers& tiers,
                                      std::int64_t watermark_s) {
  const std::int64_t first = tiers.first_whole(watermark_s);
  std::map<std::int64_t, Posts> sums;
  for (auto row = rows.lower_bound({tiers.fine, first * tiers.ratio()});
       row != rows.end() && row->first.kind == tiers.fine; ++row) {
    Posts& sum = sums[row->first.bucket / tiers.ratio()];
    for (std::size_t i = 0; i < Country::count(); ++i) sum[i] += row->second.posts[i];
  }
  return sums;
}

// A coarse bucket has at least what its fine ones have.
void lift(Rows& rows, const Tiers& tiers, std::int64_t watermark_s, std::set<RowId>& changed) {
  for (const auto& [bucket, sum] : sums_of(rows, tiers, watermark_s)) {
    const RowId id{tiers.coarse, bucket};
    for (std::size_t i = 0; i < Country::count(); ++i) {
      if (sum[i] == 0) continue;
      std::uint64_t& posts = row_of(rows, id).posts[i];
      if (posts >= sum[i]) continue;
      posts = sum[i];
      changed.insert(id);
    }
  }
}

// What it has more goes to the last of its fine ones.
void lower(Rows& rows, const Tiers& tiers, std::int64_t watermark_s, std::set<RowId>& changed) {
  auto sums = sums_of(rows, tiers, watermark_s);
  std::vector<RowId> coarse;
  for (auto row = rows.lower_bound({tiers.coarse, tiers.first_whole(watermark_s)});
       row != rows.end() && row->first.kind == tiers.coarse; ++row) {
    coarse.push_back(row->first);
  }
  for (const RowId& id : coarse) {
    const Posts& sum = sums[id.bucket];
    const std::int64_t last =
        std::clamp(tally::bucket_of(tiers.fine, watermark_s), id.bucket * tiers.ratio(),
                   (id.bucket + 1) * tiers.ratio() - 1);
    for (std::size_t i = 0; i < Country::count(); ++i) {
      const std::uint64_t rest = rows[id].posts[i] - sum[i];
      if (rest == 0) continue;
      row_of(rows, {tiers.fine, last}).posts[i] += rest;
      changed.insert(id);
    }
  }
}

}  // namespace

Row& row_of(Rows& rows, RowId id) {
  const auto [row, made] = rows.try_emplace(id);
  if (made && id.kind == RowKind::kDay) row->second.deleted.resize(Country::kLimit);
  return row->second;
}

Reconciled reconcile(Rows& rows, CountryTotalsArray& countries, std::int64_t first_day,
                     std::int64_t watermark_s) {
  Reconciled result;
  for (const Tiers& tiers : kFinestFirst) lift(rows, tiers, watermark_s, result.changed);

  Posts posts{};
  Posts deleted{};
  for (auto row = rows.lower_bound({RowKind::kDay, 0});
       row != rows.end() && row->first.kind == RowKind::kDay; ++row) {
    for (std::size_t i = 0; i < Country::count(); ++i) {
      posts[i] += row->second.posts[i];
      deleted[i] += row->second.deleted[i];
    }
  }
  // What no day has: a day that is missing had it.
  std::vector<RowId> missing;
  for (std::int64_t day = first_day; day <= tally::bucket_of(RowKind::kDay, watermark_s); ++day) {
    if (!rows.contains({RowKind::kDay, day})) missing.push_back({RowKind::kDay, day});
  }
  const RowId takes = missing.empty() ? RowId{RowKind::kDay, first_day} : missing.back();
  for (std::size_t i = 0; i < Country::count(); ++i) {
    tally::CountryTotals& total = countries[i];
    if (total.posts == posts[i] && total.posts_deleted == deleted[i]) continue;
    result.changed.insert(missing.begin(), missing.end());
    if (missing.empty() || total.posts < posts[i] || total.posts_deleted < deleted[i]) {
      result.anywhere = true;
    }
    total.posts = std::max(total.posts, posts[i]);
    total.posts_deleted = std::max(total.posts_deleted, deleted[i]);
    Row& row = row_of(rows, takes);
    row.posts[i] += total.posts - posts[i];
    row.deleted[i] += static_cast<std::uint32_t>(total.posts_deleted - deleted[i]);
  }

  for (auto tiers = kFinestFirst.rbegin(); tiers != kFinestFirst.rend(); ++tiers) {
    lower(rows, *tiers, watermark_s, result.changed);
  }
  return result;
}

}  // namespace geotally::store
