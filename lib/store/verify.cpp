#include "store/verify.h"

#include <map>

#include <fmt/format.h>

#include "store/checkpoint.h"
#include "tally/windows.h"

namespace geotally::store {
namespace {

constexpr std::size_t kDifferencesShown = 20;

using tally::RowId;
using tally::RowKind;

class Comparison {
 public:
  explicit Comparison(Verification& result) : result_(result) {}

  void expect(std::string_view what, Country country, std::uint64_t stored,
              std::uint64_t computed) {
    expect(what, country.code(), stored, computed);
  }

  template <typename Whose>
  void expect(std::string_view what, const Whose& whose, std::uint64_t stored,
              std::uint64_t computed) {
    ++result_.cells;
    if (stored == computed) return;
    differs([&] {
      return fmt::format("{} of {}: stored {}, computed {}", what, whose, stored, computed);
    });
  }

  // Erased accounts leave the accounts, but not the day on which they were new.
  template <typename Whose>
  void expect_at_least(std::string_view what, const Whose& whose, std::uint64_t stored,
                       std::uint64_t computed) {
    ++result_.cells;
    if (stored >= computed) return;
    differs([&] {
      return fmt::format("{} {}: stored {}, computed at least {}", what, whose, stored, computed);
    });
  }

 private:
  template <typename Line>
  void differs(const Line& line) {
    ++result_.differing;
    if (result_.differences.size() < kDifferencesShown) result_.differences.push_back(line());
  }

  Verification& result_;
};

std::string row_name(RowId id) {
  static constexpr std::array<const char*, tally::kRowKinds> kNames = {"second", "minute", "hour",
                                                                       "day", "lapse"};
  return fmt::format("{} {}", kNames[static_cast<std::size_t>(id.kind)], id.bucket);
}

// Posts of a coarse bucket are those of the fine buckets in it, while all of these are kept.
void compare_tiers(const tally::Totals& totals, RowKind fine, RowKind coarse,
                   std::int64_t watermark_s, Comparison& comparison) {
  const std::int64_t ratio = tally::bucket_seconds(coarse) / tally::bucket_seconds(fine);
  const std::int64_t first =
      (tally::first_kept(fine, watermark_s) + ratio - 1) / ratio;  // the first whole one
  std::map<std::int64_t, std::array<std::uint64_t, Country::kLimit>> sums;
  for (const auto& [id, row] : totals.rows()) {
    if (id.kind != fine || id.bucket / ratio < first) continue;
    auto& sum = sums[id.bucket / ratio];
    for (std::size_t i = 0; i < Country::count(); ++i) sum[i] += row->posts[i];
  }
  for (const auto& [id, row] : totals.rows()) {
    if (id.kind != coarse || id.bucket < first) continue;
    auto& sum = sums[id.bucket];
    for (std::size_t i = 0; i < Country::count(); ++i) {
      comparison.expect("posts in " + row_name(id), Country::from_index(i), row->posts[i], sum[i]);
    }
    sums.erase(id.bucket);
  }
  for (const auto& [bucket, sum] : sums) {
    for (std::size_t i = 0; i < Country::count(); ++i) {
      comparison.expect("posts in " + row_name({coarse, bucket}), Country::from_index(i), 0,
                        sum[i]);
    }
  }
}

}  // namespace

Verification verify(const Store& store) {
  Verification result;
  Comparison comparison(result);
  tally::Totals stored;
  store.load(stored);
  const std::int64_t watermark_s = store.last_commit().watermark_us / tally::kMicrosPerSecond;

  // Rows of days are kept for ever: what was counted in all is the sum of them.
  std::array<std::uint64_t, Country::kLimit> posts{};
  std::array<std::uint64_t, Country::kLimit> deleted{};
  std::map<std::int64_t, std::uint64_t> new_accounts;
  store.for_each_day([&](std::int64_t day, const tally::Row& row) {
    for (std::size_t i = 0; i < Country::count(); ++i) {
      posts[i] += row.posts[i];
      deleted[i] += row.deleted[i];
      new_accounts[day] += row.accounts[i];
    }
  });
  std::map<std::int64_t, std::uint64_t> first_seen;

  // By plain sums over accounts, without the machinery that counted them.
  CountryTotalsArray countries{};
  std::map<RowId, std::array<std::uint64_t, Country::kLimit>> accounts_in;
  std::map<std::uint32_t, std::uint64_t> accounts_of_city;
  store.for_each_account([&](tally::AccountKey, const AccountRecord& record) {
    ++result.accounts;
    if (record.state.first_day != 0) ++first_seen[record.state.first_day];
    const tally::Standing standing = tally::standing_of(record.state);
    if (!standing.counted) return;
    const std::size_t country = standing.country.index();
    tally::CountryTotals& total = countries[country];
    ++total.accounts;
    total.never += standing.never ? 1 : 0;
    total.once += standing.once ? 1 : 0;
    total.confidence += standing.confidence;
    total.automated += standing.automated ? 1 : 0;
    total.bridged += standing.bridged ? 1 : 0;
    if (standing.city != 0) ++accounts_of_city[standing.city];
    ++total.evidence[static_cast<std::size_t>(standing.evidence)];
    const auto add = [&](RowKind kind, std::int64_t bucket) {
      if (bucket >= tally::first_kept(kind, watermark_s)) ++accounts_in[{kind, bucket}][country];
    };
    if (standing.lapse_day != 0) add(RowKind::kLapse, standing.lapse_day);
    if (standing.last_post_s == 0) return;
    for (const RowKind tier : tally::kTiers) {
      add(tier, tally::bucket_of(tier, standing.last_post_s));
    }
  });

  for (std::size_t i = 0; i < Country::count(); ++i) {
    const Country country = Country::from_index(i);
    const tally::CountryTotals& have = stored.country(country);
    const tally::CountryTotals& want = countries[i];
    comparison.expect("posts ever", country, have.posts, posts[i]);
    comparison.expect("deletions ever", country, have.posts_deleted, deleted[i]);
    comparison.expect("accounts", country, have.accounts, want.accounts);
    comparison.expect("accounts that never posted", country, have.never, want.never);
    comparison.expect("accounts that posted on one day", country, have.once, want.once);
    comparison.expect("certainty", country, have.confidence, want.confidence);
    comparison.expect("automated accounts", country, have.automated, want.automated);
    comparison.expect("bridged accounts", country, have.bridged, want.bridged);
    comparison.expect_at_least("posts ever, more than the base of the counters, of", country.code(),
                               have.posts, store.base().posts[i]);
    for (std::size_t kind = 0; kind < kEvidenceKinds; ++kind) {
      comparison.expect(fmt::format("accounts by {}", to_string(static_cast<EvidenceKind>(kind))),
                        country, have.evidence[kind], want.evidence[kind]);
    }
  }
  for (const auto& [city, have] : stored.cities()) {
    comparison.expect("accounts of city", city, have.accounts, accounts_of_city[city]);
    accounts_of_city.erase(city);
  }
  for (const auto& [city, want] : accounts_of_city) {
    comparison.expect("accounts of city", city, 0, want);
  }
  for (const auto& [id, row] : stored.rows()) {
    if (id.kind == RowKind::kDay) continue;
    auto& want = accounts_in[id];
    for (std::size_t i = 0; i < Country::count(); ++i) {
      comparison.expect("accounts in " + row_name(id), Country::from_index(i), row->accounts[i],
                        want[i]);
    }
    accounts_in.erase(id);
  }
  for (const auto& [id, want] : accounts_in) {
    for (std::size_t i = 0; i < Country::count(); ++i) {
      comparison.expect("accounts in " + row_name(id), Country::from_index(i), 0, want[i]);
    }
  }
  for (const auto& [day, accounts] : first_seen) {
    comparison.expect_at_least("new accounts of day", day, new_accounts[day], accounts);
  }
  compare_tiers(stored, RowKind::kSecond, RowKind::kMinute, watermark_s, comparison);
  compare_tiers(stored, RowKind::kMinute, RowKind::kHour, watermark_s, comparison);
  compare_tiers(stored, RowKind::kHour, RowKind::kDay, watermark_s, comparison);
  result.passed_over = store.count_passed_over();
  return result;
}

std::string summary(const Verification& verification) {
  const std::uint64_t passed_over = verification.passed_over;
  return fmt::format(
      "{} accounts, {} cells compared, {} differ{}{}", verification.accounts, verification.cells,
      verification.differing, verification.differing == 0 ? "" : fmt::format("; {}", kAdvice),
      passed_over == 0
          ? ""
          : fmt::format("; {} records passed over, of kinds that this program does not count",
                        passed_over));
}

}  // namespace geotally::store
