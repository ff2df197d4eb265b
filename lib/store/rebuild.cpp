#include "store/rebuild.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "store/incoming.h"
#include "store/reconcile.h"
#include "store/salvage.h"
#include "store/verify.h"
#include "tally/changes.h"

namespace geotally::store {
namespace {

using tally::Row;
using tally::RowId;
using tally::RowKind;

constexpr std::int64_t kDay_us = tally::kDaySeconds * tally::kMicrosPerSecond;
constexpr std::size_t kAccountsACommit = 100'000;
// A revision is a TID: microseconds since the epoch above so many bits (atproto.com/specs/tid).
constexpr unsigned kTidClockBits = 10;

/// The latest of the versions of a record: those that say that most was counted. More than one
/// when nothing was counted between them.
template <typename Value>
class Latest {
 public:
  void offer(std::uint64_t counted, Value value) {
    if (!versions_.empty() && counted < counted_) return;
    if (counted > counted_) versions_.clear();
    counted_ = counted;
    versions_.push_back(std::move(value));
  }
  [[nodiscard]] bool empty() const { return versions_.empty(); }
  [[nodiscard]] const Value& value() const { return versions_.front(); }
  [[nodiscard]] const std::vector<Value>& versions() const { return versions_; }

 private:
  std::uint64_t counted_ = 0;
  std::vector<Value> versions_;
};

std::uint64_t counted_in(const Row& row) {
  std::uint64_t sum = 0;
  for (const std::uint64_t posts : row.posts) sum += posts;
  for (const std::uint32_t deleted : row.deleted) sum += deleted;
  return sum;
}

std::uint64_t counted_in(const CountryTotalsArray& countries) {
  std::uint64_t sum = 0;
  for (const tally::CountryTotals& total : countries) sum += total.posts + total.posts_deleted;
  return sum;
}

// Whether `a` is a later version of an account than `b`. All that is compared only grows, but for
// what an erasure takes.
bool later(const AccountRecord& a, const AccountRecord& b) {
  const auto age = [](const AccountRecord& record) {
    const tally::AccountState& state = record.state;
    const std::uint64_t newest =
        record.fence.empty() ? state.fence.floor : record.fence.front().revision;
    const bool erased = state.flags == 0 && state.posts == 0;
    return std::tuple(newest, state.status_time_us, state.identity_time_us, erased, state.posts,
                      state.fence.floor, record.fence.size());
  };
  return age(a) > age(b);
}

void raise_floor(AccountRecord& record, std::uint64_t floor) {
  record.state.fence.floor = std::max(record.state.fence.floor, floor);
  std::erase_if(record.fence, [&](const tally::FenceEntry& entry) {
    return entry.revision <= record.state.fence.floor;
  });
}

class Rebuilder {
 public:
  Rebuilder(const RebuildOptions& options, const std::string& scratch)
      : options_(options), salvage_(options.data_dir, scratch) {
    for (const char* name : kFamilyNames) out_.families.push_back({name, 0, 0, 0, 0});
    out_.manifest_lost = !salvage_.opened();
  }

  Rebuilt run(const std::string& target) {
    read_default();
    read_cells();
    read_days();
    read_gaps();
    read_cities();
    find_watermark();
    recount();
    judge();
    write(target);
    return std::move(out_);
  }

 private:
  Rebuilt::Family& family(Family family) { return out_.families[family]; }

  void read_default();
  void read_cells();
  void read_days();
  void read_gaps();
  void read_cities();
  void find_watermark();
  void recount();
  void judge();
  void compare_accounts();
  void compare_cities();
  void pin(RowId id);
  void make_gaps();
  void write(const std::string& target);
  void put_figures(const std::string& target, const tally::Totals& totals, const CounterBase& base);
  void write_accounts(Store& store, const CommitRecord& record);

  /// Visits the records of a family that decode; counts them, and those that do not.
  template <typename Take>
  void read(Family which, Take take);
  template <typename Visit>
  void for_each_account(Visit visit);
  [[nodiscard]] bool unsure(Family which) const {
    const Rebuilt::Family& family = out_.families[which];
    return family.unreadable != 0 || family.invalid != 0;
  }

  const RebuildOptions& options_;
  Salvage salvage_;
  Rebuilt out_;

  // As it was stored.
  std::uint64_t seed_ = 0;
  std::uint64_t old_floor_ = 0;
  CommitRecord commit_;
  Latest<CountryTotalsArray> stored_countries_;
  std::map<RowId, Latest<Row>> stored_rows_;
  std::map<std::int64_t, std::pair<std::int64_t, std::vector<tally::DayClosing>>> closings_;
  std::map<std::uint64_t, Gap> stored_gaps_;
  std::map<std::uint32_t, Latest<tally::CityTotals>> stored_cities_;

  // As the accounts say.
  tally::Totals counted_;
  std::map<std::int64_t, std::array<std::uint32_t, Country::kLimit>> new_accounts_;
  std::int64_t last_post_us_ = 0;

  // What comes of both.
  std::int64_t watermark_us_ = 0;
  Rows rows_;
  CountryTotalsArray countries_{};
  std::uint64_t floor_ = 0;  // of accounts that are not known to be the latest; 0 = all are
  bool whole_ = false;       // the loss is not of certain buckets
  std::vector<std::pair<std::int64_t, std::int64_t>> pinned_;
};

template <typename Take>
void Rebuilder::read(Family which, Take take) {
  Rebuilt::Family& count = family(which);
  count.kept = count.invalid = 0;
  salvage_.for_each(which, [&](const Salvage::Record& record) {
    bool valid = false;
    for (const std::string& version : record.versions) {
      valid = take(record.key, version) || valid;
    }
    ++(valid ? count.kept : count.invalid);
  });
  count.unreadable = salvage_.unreadable(which);
}

void Rebuilder::read_default() {
  const auto advice = "restore a backup instead (geotally restore)";
  const std::vector<std::string> formats = salvage_.get(kFormatKey);
  std::uint64_t format = 0;
  if (formats.empty() || !parse_number_key(formats.front(), format)) {
    throw Refused(
        fmt::format("store {}: its format number cannot be read; {}", options_.data_dir, advice));
  }
  if (format != kFormat) {
    throw Refused(fmt::format("store {}: its format is {}, this program reads {}",
                              options_.data_dir, format, kFormat));
  }
  const std::vector<std::string> seeds = salvage_.get(kSeedKey);
  if (seeds.empty() || !parse_number_key(seeds.front(), seed_)) {
    throw Refused(fmt::format(
        "store {}: its seed cannot be read, without which no account is known again; {}",
        options_.data_dir, advice));
  }
  Rebuilt::Family& count = family(kDefault);
  count.kept = 2;
  bool found = false;
  for (const std::string& bytes : salvage_.get(kCommitKey)) {
    CommitRecord record;
    if (!decode_commit(bytes, record)) continue;
    if (!found || record.number > commit_.number) commit_ = record;
    found = true;
  }
  for (const std::string& bytes : salvage_.get(kCountriesKey)) {
    CountryTotalsArray countries;
    if (decode_countries(bytes, countries)) {
      stored_countries_.offer(counted_in(countries), countries);
    }
  }
  for (const std::string& bytes : salvage_.get(kBaseKey)) {
    CounterBase base;
    if (decode_base(bytes, base)) old_floor_ = std::max(old_floor_, base.floor);
  }
  ++(found ? count.kept : count.missing);
  ++(stored_countries_.empty() ? count.missing : count.kept);
  count.unreadable = salvage_.unreadable(kDefault);
}

void Rebuilder::read_cells() {
  read(kCells, [this](std::string_view key, std::string_view bytes) {
    RowId id;
    Row row;
    if (!parse_row_key(key, id) || !decode_row(bytes, id.kind, row)) return false;
    const std::uint64_t counted = counted_in(row);
    stored_rows_[id].offer(counted, std::move(row));
    return true;
  });
}

void Rebuilder::read_days() {
  read(kDays, [this](std::string_view key, std::string_view bytes) {
    std::uint64_t day = 0;
    std::int64_t gap_us = 0;
    std::vector<tally::DayClosing> closing;
    if (!parse_number_key(key, day) || !decode_closing(bytes, closing, gap_us)) return false;
    auto& stored = closings_[static_cast<std::int64_t>(day)];
    // Written again only when more of the day turns out to be missing.
    if (stored.second.empty() || gap_us > stored.first) stored = {gap_us, std::move(closing)};
    return true;
  });
}

void Rebuilder::read_gaps() {
  read(kGaps, [this](std::string_view key, std::string_view bytes) {
    std::uint64_t number = 0;
    Gap gap;
    if (!parse_number_key(key, number) || !decode_gap(bytes, gap)) return false;
    stored_gaps_[number] = std::move(gap);
    return true;
  });
}

void Rebuilder::read_cities() {
  read(kCities, [this](std::string_view key, std::string_view bytes) {
    std::uint32_t city = 0;
    tally::CityTotals total;
    if (!parse_city_key(key, city) || !decode_city(bytes, total)) return false;
    stored_cities_[city].offer(total.posts, total);
    return true;
  });
}

// Visit: (key, record, whether it is the latest version).
template <typename Visit>
void Rebuilder::for_each_account(Visit visit) {
  Rebuilt::Family& count = family(kAccounts);
  count.kept = count.invalid = 0;
  salvage_.for_each(kAccounts, [&](const Salvage::Record& found) {
    tally::AccountKey key = 0;
    std::optional<AccountRecord> latest;
    for (const std::string& bytes : found.versions) {
      AccountRecord record;
      if (!parse_account_key(found.key, key) || !decode_account(bytes, record)) continue;
      if (!latest || later(record, *latest)) latest = std::move(record);
    }
    ++(latest ? count.kept : count.invalid);
    if (latest) visit(key, *latest, found.latest);
  });
}

// That of the commit; where that record may be an old one, rows and accounts may know better.
void Rebuilder::find_watermark() {
  watermark_us_ = commit_.watermark_us;
  for (const auto& [id, row] : stored_rows_) {
    if (id.kind != RowKind::kSecond) continue;
    watermark_us_ = std::max(watermark_us_, id.bucket * tally::kMicrosPerSecond);
  }
  if (watermark_us_ == 0) {
    for_each_account([this](tally::AccountKey, const AccountRecord& record, bool) {
      watermark_us_ = std::max(watermark_us_, record.state.last_post_s * tally::kMicrosPerSecond);
    });
  }
  if (watermark_us_ == 0) {
    throw Refused(fmt::format("store {}: nothing of what it counted can be read; {}",
                              options_.data_dir, "restore a backup instead (geotally restore)"));
  }
}

void Rebuilder::recount() {
  tally::Changes changes;
  changes.set_watermark(watermark_us_ / tally::kMicrosPerSecond);
  for_each_account([&](tally::AccountKey, const AccountRecord& record, bool) {
    const tally::AccountState& state = record.state;
    changes.move({}, tally::standing_of(state));
    if (state.first_day != 0) ++new_accounts_[state.first_day][state.country.index()];
    last_post_us_ = std::max(last_post_us_, state.last_post_s * tally::kMicrosPerSecond);
  });
  family(kAccounts).unreadable = salvage_.unreadable(kAccounts);
  counted_.apply(changes);
  watermark_us_ = std::max(watermark_us_, last_post_us_);
}

void Rebuilder::pin(RowId id) {
  const std::int64_t length_us = tally::bucket_seconds(id.kind) * tally::kMicrosPerSecond;
  pinned_.emplace_back(id.bucket * length_us, (id.bucket + 1) * length_us);
}

// What the cells said of accounts, against what the accounts say.
void Rebuilder::compare_accounts() {
  const std::int64_t watermark_s = watermark_us_ / tally::kMicrosPerSecond;
  bool rows_differ = false;
  std::set<RowId> ids;
  for (const auto& [id, row] : stored_rows_) ids.insert(id);
  for (const auto& [id, row] : counted_.rows()) ids.insert(id);
  static const Latest<Row> kNone;
  static const Row kEmpty;
  for (const RowId& id : ids) {
    if (id.kind == RowKind::kDay || id.bucket < tally::first_kept(id.kind, watermark_s)) continue;
    const auto found = stored_rows_.find(id);
    const Latest<Row>& stored = found == stored_rows_.end() ? kNone : found->second;
    const Row* row = counted_.row(id);
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
  for (const CountryTotalsArray& stored : stored_countries_.versions()) {
    bool equal = true;
    bool accounts = true;
    for (std::size_t i = 0; i < Country::count(); ++i) {
      tally::CountryTotals want = counted_.country(Country::from_index(i));
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
  const bool torn = out_.manifest_lost || salvage_.log_broken() || salvage_.files_lost() != 0;
  if (unsure(kAccounts) || unsure(kDefault) || (torn && differ) || stored_countries_.empty() ||
      commit_.number == 0) {
    whole_ = true;
    floor_ = static_cast<std::uint64_t>(watermark_us_) << kTidClockBits |
             ((std::uint64_t{1} << kTidClockBits) - 1);
  }
  // How many there were, as far as the totals knew.
  std::uint64_t had = 0;
  std::uint64_t have = 0;
  for (std::size_t i = 0; i < Country::count(); ++i) {
    if (!stored_countries_.empty()) had += stored_countries_.value()[i].accounts;
    have += counted_.country(Country::from_index(i)).accounts;
  }
  if (had > have) family(kAccounts).missing = had - have;
}

void Rebuilder::compare_cities() {
  for (const auto& [city, counted] : counted_.cities()) {
    const auto stored = stored_cities_.find(city);
    if (stored == stored_cities_.end()) {
      if (counted.accounts != 0) ++family(kCities).missing;
    } else if (stored->second.value().accounts != counted.accounts) {
      ++out_.corrected;
    }
  }
  // A city's posts ever are in no bucket.
  if (unsure(kCities) || family(kCities).missing != 0) whole_ = true;
}

void Rebuilder::judge() {
  const std::int64_t watermark_s = watermark_us_ / tally::kMicrosPerSecond;
  const std::int64_t today = tally::bucket_of(RowKind::kDay, watermark_s);
  for (const auto& [id, row] : stored_rows_) {
    if (id.kind != RowKind::kDay && id.bucket < tally::first_kept(id.kind, watermark_s)) continue;
    rows_.emplace(id, row.value());
  }
  if (!stored_countries_.empty()) countries_ = stored_countries_.value();
  if (commit_.observed_since_us == 0) {
    const auto day = rows_.lower_bound({RowKind::kDay, 0});
    std::int64_t first = today;
    if (day != rows_.end() && day->first.kind == RowKind::kDay) first = day->first.bucket;
    if (!new_accounts_.empty()) first = std::min(first, new_accounts_.begin()->first);
    commit_.observed_since_us = first * kDay_us;
  }
  const std::int64_t first_day = commit_.observed_since_us / kDay_us;

  compare_accounts();
  compare_cities();
  const Reconciled reconciled = reconcile(rows_, countries_, first_day, watermark_s);
  whole_ = whole_ || reconciled.anywhere;
  for (const RowId& id : reconciled.changed) pin(id);

  commit_.next_day_to_close = std::max(commit_.next_day_to_close, today);
  if (!closings_.empty()) {
    commit_.next_day_to_close = std::max(commit_.next_day_to_close, closings_.rbegin()->first + 1);
  }
  for (std::int64_t day = first_day; day < commit_.next_day_to_close; ++day) {
    if (closings_.contains(day)) continue;
    ++family(kDays).missing;
    pin({RowKind::kDay, day});
  }
  if (commit_.gaps > stored_gaps_.size()) {
    family(kGaps).missing = commit_.gaps - stored_gaps_.size();
    whole_ = true;
  }
  make_gaps();
}

void Rebuilder::make_gaps() {
  if (whole_) pinned_ = {{commit_.observed_since_us, watermark_us_}};
  std::sort(pinned_.begin(), pinned_.end());
  const std::int64_t end_us =
      (watermark_us_ / tally::kMicrosPerSecond + 1) * tally::kMicrosPerSecond;
  for (auto [from, to] : pinned_) {
    from = std::max(from, commit_.observed_since_us);
    to = std::min(to, end_us);
    if (from >= to) continue;
    if (!out_.gaps.empty() && from <= out_.gaps.back().to_us) {
      out_.gaps.back().to_us = std::max(out_.gaps.back().to_us, to);
    } else {
      out_.gaps.push_back({from, to, kRebuiltCause});
    }
  }
}

void Rebuilder::write(const std::string& target) {
  // Of accounts what the accounts say, of posts what the rows agreed on.
  for (const auto& [id, row] : counted_.rows()) {
    if (id.bucket >= tally::first_kept(id.kind, watermark_us_ / tally::kMicrosPerSecond)) {
      row_of(rows_, id);
    }
  }
  for (const auto& [day, accounts] : new_accounts_) row_of(rows_, {RowKind::kDay, day});
  for (auto& [id, row] : rows_) {
    if (id.kind != RowKind::kDay) {
      const Row* counted = counted_.row(id);
      row.accounts = counted == nullptr ? Row{}.accounts : counted->accounts;
    } else if (const auto found = new_accounts_.find(id.bucket); found != new_accounts_.end()) {
      // Those who left since then are missing among the accounts, and some have moved.
      std::uint64_t stored = 0;
      std::uint64_t counted = 0;
      for (std::size_t i = 0; i < Country::count(); ++i) {
        stored += row.accounts[i];
        counted += found->second[i];
      }
      if (stored < counted) row.accounts = found->second;
    }
  }
  tally::Totals totals;  // but for the rows
  CounterBase base;
  base.floor = std::max(old_floor_, floor_);
  for (std::size_t i = 0; i < Country::count(); ++i) {
    const Country country = Country::from_index(i);
    tally::CountryTotals& total = totals.load_country(country);
    total = counted_.country(country);
    total.posts = base.posts[i] = countries_[i].posts;
    total.posts_deleted = base.posts_deleted[i] = countries_[i].posts_deleted;
  }
  for (const auto& [city, stored] : stored_cities_) {
    totals.load_city(city).posts = stored.value().posts;
  }
  for (const auto& [city, counted] : counted_.cities()) {
    totals.load_city(city).accounts = counted.accounts;
  }
  Commit last;
  last.record = commit_;
  last.record.number = std::max<std::uint64_t>(commit_.number, 1);  // 0 would be a new store
  last.record.committed_at_us = options_.now_us;
  last.record.watermark_us = watermark_us_;
  last.record.edge_us = std::max(commit_.edge_us, watermark_us_);
  last.record.ingested_until_us = watermark_us_;
  last.record.cursor = options_.position(commit_.cursor, watermark_us_);
  for (auto& [day, closing] : closings_) {
    last.days.push_back({day, std::move(closing.second), closing.first});
  }
  for (const auto& [number, gap] : stored_gaps_) last.gaps.push_back(gap);
  last.gaps.insert(last.gaps.end(), out_.gaps.begin(), out_.gaps.end());
  last.record.gaps = last.gaps.size();
  last.record.gap_us = 0;
  for (const Gap& gap : last.gaps) last.record.gap_us += gap.to_us - gap.from_us;
  // The gaps that the loss left are counted as since then.
  base.gaps = stored_gaps_.size();
  for (const auto& [number, gap] : stored_gaps_) base.gap_us += gap.to_us - gap.from_us;

  Options options;
  options.directory = target;
  {
    const auto store = Store::open(options);
    write_accounts(*store, last.record);
    store->commit(last);
  }
  put_figures(target, totals, base);
  const auto store = Store::open(options);
  const Verification verification = verify(*store);
  if (verification.differing != 0) {
    throw std::logic_error(fmt::format("the rebuilt store does not agree with its accounts: {}",
                                       verification.differences.front()));
  }
  out_.files_lost = salvage_.files_lost();
  out_.log_broken = salvage_.log_broken();
  out_.record = last.record;
}

// What no commit writes whole, and the seed: nothing of the new store is in its place yet.
void Rebuilder::put_figures(const std::string& target, const tally::Totals& totals,
                            const CounterBase& base) {
  const auto database =
      OpenDatabase::open(target, rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords);
  if (database == nullptr) throw IoError(target + ": it cannot be opened again");
  rocksdb::WriteBatch batch;
  std::string bytes;
  const auto put = [&](Family family, const std::string& key) {
    batch.Put(database->families[family], key, bytes);
    bytes.clear();
  };
  bytes = number_key(seed_);
  put(kDefault, kSeedKey);
  encode_base(base, bytes);
  put(kDefault, kBaseKey);
  encode_countries(totals, bytes);
  put(kDefault, kCountriesKey);
  for (const auto& [id, row] : rows_) {
    encode_row(id.kind, row, bytes);
    put(kCells, row_key(id));
  }
  for (const auto& [city, total] : totals.cities()) {
    if (total == tally::CityTotals{}) continue;
    encode_city(total, bytes);
    put(kCities, city_key(city));
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const rocksdb::Status written = database->db->Write(synced, &batch);
  if (!written.ok()) raise(target, written);
}

// The list of accounts that are to be erased is made anew: whoever is on it is looked at when the
// daemon runs, and put off if it is too early.
void Rebuilder::write_accounts(Store& store, const CommitRecord& record) {
  const std::int64_t today = watermark_us_ / kDay_us;
  Commit commit;
  commit.record = record;
  commit.record.gaps = 0;
  std::string bytes;
  std::vector<std::size_t> ends;
  const auto flush = [&] {
    for (std::size_t i = 0, begin = 0; i < ends.size(); begin = ends[i++]) {
      commit.accounts[i].value = std::string_view(bytes).substr(begin, ends[i] - begin);
    }
    store.commit(commit);
    commit.accounts.clear();
    commit.due.clear();
    ends.clear();
    bytes.clear();
  };
  for_each_account([&](tally::AccountKey key, AccountRecord& account, bool latest) {
    if (!latest) raise_floor(account, floor_);
    const tally::AccountState& state = account.state;
    const bool erased = state.flags == 0 && state.posts == 0;
    if (erased || state.has(tally::AccountState::kDeleted)) commit.due.push_back({today, key});
    encode_account(account, bytes);
    commit.accounts.push_back({key, {}});
    ends.push_back(bytes.size());
    if (ends.size() == kAccountsACommit) flush();
  });
  flush();
}

}  // namespace

Rebuilt rebuild(const RebuildOptions& options) {
  if (!std::filesystem::is_directory(options.data_dir)) {
    throw CannotCreate(fmt::format("data directory {}: it does not exist", options.data_dir));
  }
  Incoming incoming(options.into);
  Rebuilt rebuilt;
  if (!incoming.complete()) {
    rebuilt = Rebuilder(options, incoming.scratch()).run(incoming.directory());
    incoming.finish();
    return rebuilt;
  }
  incoming.finish();
  Options opened;
  opened.directory = options.into;
  opened.create = false;
  rebuilt.record = Store::open(opened)->last_commit();
  return rebuilt;
}

}  // namespace geotally::store
