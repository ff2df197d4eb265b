#include "store/rebuild.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "store/incoming.h"
#include "store/judgement.h"
#include "store/remains.h"
#include "store/verify.h"

namespace geotally::store {
namespace {

using tally::Row;
using tally::RowKind;

constexpr std::int64_t kDay_us = tally::kDaySeconds * tally::kMicrosPerSecond;
constexpr std::size_t kAccountsACommit = 100'000;
constexpr std::size_t kCopiedAtOnce = std::size_t{1} << 20;

// What was lost of the account may have been counted.
void raise_floor(AccountRecord& record, std::uint64_t floor) {
  const tally::AccountState unknown = tally::unknown_account(floor);
  record.state.newest_key = std::max(record.state.newest_key, unknown.newest_key);
  record.state.flags |= unknown.flags;
  // The floor ends a telling that was open: what still comes of it is replayed.
  if (unknown.has(tally::AccountState::kTold)) {
    record.details.telling = {};
    record.details.oldest_key = 0;
    record.state.set(tally::AccountState::kTelling, false);
  }
  record.state.fence.floor = std::max(record.state.fence.floor, floor);
  std::erase_if(record.fence, [&](const tally::FenceEntry& entry) {
    return entry.revision <= record.state.fence.floor;
  });
}

// The third part: the new store.
class Writer {
 public:
  Writer(const RebuildOptions& options, const Rebuilt& out, Remains& remains, Judgement& judged)
      : options_(options), out_(out), remains_(remains), judged_(judged) {}

  /// The new store's commit; it agrees with its accounts.
  CommitRecord write(const std::string& target);

 private:
  void put_figures(const std::string& target, const tally::Totals& totals, const CounterBase& base);
  void write_accounts(Store& store, const CommitRecord& record);

  const RebuildOptions& options_;
  const Rebuilt& out_;
  Remains& remains_;
  Judgement& judged_;
};

CommitRecord Writer::write(const std::string& target) {
  // Of accounts what the accounts say, of posts what the rows agreed on.
  for (const auto& [id, row] : judged_.counted.rows()) {
    if (id.bucket >= tally::first_kept(id.kind, judged_.watermark_us / tally::kMicrosPerSecond)) {
      row_of(judged_.rows, id);
    }
  }
  for (const auto& [day, accounts] : judged_.new_accounts) {
    row_of(judged_.rows, {RowKind::kDay, day});
  }
  for (auto& [id, row] : judged_.rows) {
    if (id.kind != RowKind::kDay) {
      const Row* counted = judged_.counted.row(id);
      row.accounts = counted == nullptr ? Row{}.accounts : counted->accounts;
    } else if (const auto found = judged_.new_accounts.find(id.bucket);
               found != judged_.new_accounts.end()) {
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
  base.floor = std::max(remains_.floor, judged_.floor);
  for (std::size_t i = 0; i < Country::count(); ++i) {
    const Country country = Country::from_index(i);
    tally::CountryTotals& total = totals.load_country(country);
    total = judged_.counted.country(country);
    total.posts = base.posts[i] = judged_.countries[i].posts;
    total.posts_deleted = base.posts_deleted[i] = judged_.countries[i].posts_deleted;
  }
  for (const auto& [city, stored] : remains_.cities) {
    totals.load_city(city).posts = stored.value().posts;
  }
  for (const auto& [city, counted] : judged_.counted.cities()) {
    totals.load_city(city).accounts = counted.accounts;
  }
  Commit last;
  last.record = judged_.commit;
  last.record.number = std::max<std::uint64_t>(judged_.commit.number, 1);  // 0 would be a new store
  last.record.committed_at_us = options_.now_us;
  last.record.watermark_us = judged_.watermark_us;
  last.record.edge_us = std::max(judged_.commit.edge_us, judged_.watermark_us);
  last.record.ingested_until_us = judged_.watermark_us;
  last.record.cursor = options_.position(judged_.commit.cursor, judged_.watermark_us);
  last.record.class_function = 0;  // whoever counts classes counts these accounts anew
  for (auto& [day, closing] : remains_.closings) {
    last.days.push_back({day, std::move(closing.second), closing.first});
  }
  for (const auto& [number, gap] : remains_.gaps) last.gaps.push_back(gap);
  last.gaps.insert(last.gaps.end(), out_.gaps.begin(), out_.gaps.end());
  last.record.gaps = last.gaps.size();
  last.record.gap_us = 0;
  for (const Gap& gap : last.gaps) last.record.gap_us += gap.to_us - gap.from_us;
  // The gaps that the loss left are counted as since then.
  base.gaps = remains_.gaps.size();
  for (const auto& [number, gap] : remains_.gaps) base.gap_us += gap.to_us - gap.from_us;

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
  return last.record;
}

// What no commit writes whole, what is copied unread, and the seed: nothing of the new store is in its place yet.
void Writer::put_figures(const std::string& target, const tally::Totals& totals,
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
  bytes = number_key(remains_.seed);
  put(kDefault, kSeedKey);
  encode_base(base, bytes);
  put(kDefault, kBaseKey);
  encode_countries(totals.countries(), bytes);
  put(kDefault, kCountriesKey);
  for (const auto& [id, row] : judged_.rows) {
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
  const auto write = [&] {
    const rocksdb::Status written = database->db->Write(synced, &batch);
    if (!written.ok()) raise(target, written);
    batch.Clear();
  };
  write();
  remains_.for_each_passed_over([&](Family family, std::string_view key, std::string_view value) {
    batch.Put(database->families[family], rocksdb::Slice(key), rocksdb::Slice(value));
    if (batch.GetDataSize() >= kCopiedAtOnce) write();
  });
  write();
}

// The list of accounts that are to be erased is made anew: whoever is on it is looked at when the
// daemon runs, and put off if it is too early.
void Writer::write_accounts(Store& store, const CommitRecord& record) {
  const std::int64_t today = judged_.watermark_us / kDay_us;
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
  remains_.for_each_account([&](tally::AccountKey key, AccountRecord& account, bool latest) {
    if (!latest) raise_floor(account, judged_.floor);
    const tally::AccountState& state = account.state;
    if (state.has(tally::AccountState::kDeleted)) commit.due.push_back({today, key});
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
    Remains remains(options.data_dir, incoming.scratch(), rebuilt);
    Judgement judged = judge(remains, rebuilt);
    rebuilt.record = Writer(options, rebuilt, remains, judged).write(incoming.directory());
    rebuilt.files_lost = remains.salvage().files_lost();
    rebuilt.log_broken = remains.salvage().log_broken();
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
