#include "store/judgement.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "tally/changes.h"
#include "tally/order.h"

namespace geotally::store {
namespace {

using tally::Row;
using tally::RowId;
using tally::RowKind;

constexpr std::int64_t kDay_us = tally::kDaySeconds * tally::kMicrosPerSecond;

class Judge {
 public:
  Judge(Remains& remains, Rebuilt& out, Judgement& to) : remains_(remains), out_(out), to_(to) {
    to_.commit = remains.commit;
    to_.watermark_us = remains.watermark_us;
  }
  void run();

 private:
  void recount();
  void compare_accounts();
  void compare_cities();
  void pin(RowId id);
  void make_gaps();
  [[nodiscard]] Rebuilt::Family& family(Family family) { return out_.families[family]; }

  Remains& remains_;
  Rebuilt& out_;
  Judgement& to_;
  bool whole_ = false;  // the loss is not of certain buckets
  std::vector<std::pair<std::int64_t, std::int64_t>> pinned_;
};

void Judge::recount() {
  std::int64_t last_post_us = 0;
  tally::Changes changes;
  changes.set_watermark(to_.watermark_us / tally::kMicrosPerSecond);
  remains_.for_each_account([&](tally::AccountKey, const AccountRecord& record, bool) {
    const tally::AccountState& state = record.state;
    changes.move({}, tally::standing_of(state));
    if (state.first_day != 0) ++to_.new_accounts[state.first_day][state.country.index()];
    last_post_us = std::max(last_post_us, state.last_post_s * tally::kMicrosPerSecond);
  });
  family(kAccounts).unreadable = remains_.salvage().unreadable(kAccounts);
  to_.counted.apply(changes);
  to_.watermark_us = std::max(to_.watermark_us, last_post_us);
}

void Judge::pin(RowId id) {
  const std::int64_t length_us = tally::bucket_seconds(id.kind) * tally::kMicrosPerSecond;
  pinned_.emplace_back(id.bucket * length_us, (id.bucket + 1) * length_us);
}

// What the cells said of accounts, against what the accounts say.
void Judge::compare_accounts() {
  const std::int64_t watermark_s = to_.watermark_us / tally::kMicrosPerSecond;
  bool rows_differ = false;
  std::set<RowId> ids;
  for (const auto& [id, row] : remains_.rows) ids.insert(id);
  for (const auto& [id, row] : to_.counted.rows()) ids.insert(id);
  static const Latest<Row> kNone;
  static const Row kEmpty;
  for (const RowId& id : ids) {
    if (id.kind == RowKind::kDay || id.bucket < tally::first_kept(id.kind, watermark_s)) continue;
    const auto found = remains_.rows.find(id);
    const Latest<Row>& stored = found == remains_.rows.end() ? kNone : found->second;
    const Row* row = to_.counted.row(id);
    const auto& want = row == nullptr ? kEmpty.accounts : row->accounts;
    const bool agrees = stored.empty()
                            ? want == kEmpty.accounts
                            : std::any_of(stored.versions().begin(), stored.versions().end(),
                                          [&](const Row& have) { return have.accounts == want; });
    if (agrees) continue;
    ++out_.corrected;
    if (id.kind == RowKind::kLapse) continue;  // says nothing that the accounts do not
    rows_differ = true;
    pin(id);
  }

  // Posts and deletions aside, any of the latest versions may be the one.
  bool agree = false;
  bool same_accounts = false;
  for (const CountryTotalsArray& stored : remains_.countries.versions()) {
    bool equal = true;
    bool accounts = true;
    for (std::size_t i = 0; i < Country::count(); ++i) {
      tally::CountryTotals want = to_.counted.country(Country::from_index(i));
      want.posts = stored[i].posts;
      want.posts_deleted = stored[i].posts_deleted;
      equal = equal && want == stored[i];
      accounts = accounts && want.accounts == stored[i].accounts;
    }
    agree = agree || equal;
    same_accounts = same_accounts || accounts;
  }
  if (!agree) ++out_.corrected;
  // Accounts more or less that are in no bucket which is kept.
  if (!same_accounts && !rows_differ) whole_ = true;
  const bool differ = rows_differ || !agree;
  const bool torn =
      out_.manifest_lost || remains_.salvage().log_broken() || remains_.salvage().files_lost() != 0;
  if (remains_.unsure(kAccounts) || remains_.unsure(kDefault) || (torn && differ) ||
      remains_.ahead || remains_.countries.empty() || to_.commit.number == 0) {
    whole_ = true;
    to_.floor = tally::last_order_of(to_.watermark_us);
  }
  // How many there were, as far as the totals knew.
  std::uint64_t had = 0;
  std::uint64_t have = 0;
  for (std::size_t i = 0; i < Country::count(); ++i) {
    if (!remains_.countries.empty()) had += remains_.countries.value()[i].accounts;
    have += to_.counted.country(Country::from_index(i)).accounts;
  }
  if (had > have) family(kAccounts).missing = had - have;
}

void Judge::compare_cities() {
  for (const auto& [city, counted] : to_.counted.cities()) {
    const auto stored = remains_.cities.find(city);
    if (stored == remains_.cities.end()) {
      if (counted.accounts != 0) ++family(kCities).missing;
    } else if (stored->second.value().accounts != counted.accounts) {
      ++out_.corrected;
    }
  }
  // A city's posts ever are in no bucket.
  if (remains_.unsure(kCities) || family(kCities).missing != 0) whole_ = true;
}

void Judge::run() {
  recount();
  const std::int64_t watermark_s = to_.watermark_us / tally::kMicrosPerSecond;
  const std::int64_t today = tally::bucket_of(RowKind::kDay, watermark_s);
  for (const auto& [id, row] : remains_.rows) {
    if (id.kind != RowKind::kDay && id.bucket < tally::first_kept(id.kind, watermark_s)) continue;
    to_.rows.emplace(id, row.value());
  }
  if (!remains_.countries.empty()) to_.countries = remains_.countries.value();
  if (to_.commit.observed_since_us == 0) {
    const auto day = to_.rows.lower_bound({RowKind::kDay, 0});
    std::int64_t first = today;
    if (day != to_.rows.end() && day->first.kind == RowKind::kDay) first = day->first.bucket;
    if (!to_.new_accounts.empty()) first = std::min(first, to_.new_accounts.begin()->first);
    to_.commit.observed_since_us = first * kDay_us;
  }
  const std::int64_t first_day = to_.commit.observed_since_us / kDay_us;

  compare_accounts();
  compare_cities();
  const Reconciled reconciled = reconcile(to_.rows, to_.countries, first_day, watermark_s);
  whole_ = whole_ || reconciled.anywhere;
  for (const RowId& id : reconciled.changed) pin(id);

  to_.commit.next_day_to_close = std::max(to_.commit.next_day_to_close, today);
  if (!remains_.closings.empty()) {
    to_.commit.next_day_to_close =
        std::max(to_.commit.next_day_to_close, remains_.closings.rbegin()->first + 1);
  }
  for (std::int64_t day = first_day; day < to_.commit.next_day_to_close; ++day) {
    if (remains_.closings.contains(day)) continue;
    ++family(kDays).missing;
    pin({RowKind::kDay, day});
  }
  if (to_.commit.gaps > remains_.gaps.size()) {
    family(kGaps).missing = to_.commit.gaps - remains_.gaps.size();
    whole_ = true;
  }
  make_gaps();
}

void Judge::make_gaps() {
  if (whole_) pinned_ = {{to_.commit.observed_since_us, to_.watermark_us}};
  std::sort(pinned_.begin(), pinned_.end());
  const std::int64_t end_us =
      (to_.watermark_us / tally::kMicrosPerSecond + 1) * tally::kMicrosPerSecond;
  for (auto [from, to] : pinned_) {
    from = std::max(from, to_.commit.observed_since_us);
    to = std::min(to, end_us);
    if (from >= to) continue;
    if (!out_.gaps.empty() && from <= out_.gaps.back().to_us) {
      out_.gaps.back().to_us = std::max(out_.gaps.back().to_us, to);
    } else {
      out_.gaps.push_back({from, to, kRebuiltCause});
    }
  }
}

}  // namespace

Judgement judge(Remains& remains, Rebuilt& out) {
  Judgement judgement;
  Judge(remains, out, judgement).run();
  return judgement;
}

}  // namespace geotally::store
