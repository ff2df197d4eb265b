#include "store/store.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <rocksdb/utilities/checkpoint.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/checkpoint.h"
#include "store/database.h"

namespace geotally::store {
namespace {

// From this many accounts on, a commit goes in as sorted files instead of through memtable and
// log: writing them costs a third, and recovery has no log to replay. bench/README.md has the
// figures; below it, one small synced batch is cheaper than the files' own syncs.
constexpr std::size_t kIngestAccounts = 2'000;

// So much is left on the disk: a full one is met here, where nothing is half done, and not inside
// RocksDB, which does not go on after it.
constexpr std::uint64_t kReserveBytes = std::uint64_t{32} << 20;

std::string due_key(const Due& due) {
  return number_key(static_cast<std::uint64_t>(due.day)) + account_key(due.key);
}

}  // namespace

Store::Store(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Store::~Store() = default;

std::unique_ptr<Store> Store::open(const Options& options) {
  std::unique_ptr<Store> store(new Store(Database::open(options)));
  Database& opened_database = *store->database_;
  std::uint64_t format = 0;
  if (const auto bytes = opened_database.get(kDefault, kFormatKey)) {
    if (!parse_number_key(*bytes, format) || !is_read(format)) {
      throw Refused(other_format(opened_database.name, format));
    }
    store->format_ = static_cast<std::uint32_t>(format);
    const auto seed = opened_database.get(kDefault, kSeedKey);
    if (!seed || !parse_number_key(*seed, store->seed_)) {
      throw Refused(fmt::format("{}: it has no readable seed; {}", opened_database.name, kAdvice));
    }
    if (const auto commit = opened_database.get(kDefault, kCommitKey)) {
      if (!decode_commit(*commit, store->last_)) {
        throw Refused(
            fmt::format("{}: its commit record is corrupt; {}", opened_database.name, kAdvice));
      }
      store->opened_watermark_us_ = store->last_.watermark_us;
      refuse_unknown_network(opened_database.name, store->last_);
    }
    if (const auto base = opened_database.get(kDefault, kBaseKey)) {
      if (!decode_base(*base, store->base_)) {
        throw Refused(fmt::format("{}: the base of its counters is corrupt; {}",
                                  opened_database.name, kAdvice));
      }
    }
    return store;
  }
  if (options.read_only || opened_database.get(kDefault, kCommitKey)) {
    throw Refused(fmt::format("{}: it has no format number; {}", opened_database.name, kAdvice));
  }
  std::random_device random;
  store->seed_ = (static_cast<std::uint64_t>(random()) << 32) | random();
  rocksdb::WriteBatch first;
  first.Put(kFormatKey, number_key(kFormat));
  first.Put(kSeedKey, number_key(store->seed_));
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const rocksdb::Status written = opened_database.db->Write(synced, &first);
  if (!written.ok()) raise(opened_database.name, written);
  return store;
}

void Store::load(tally::Totals& totals) const {
  if (const auto bytes = database_->get(kDefault, kCountriesKey)) {
    CountryTotalsArray countries;
    if (!decode_countries(*bytes, countries)) {
      throw Refused(
          fmt::format("{}: its country totals are corrupt; {}", database_->name, kAdvice));
    }
    for (std::size_t i = 0; i < Country::count(); ++i) {
      totals.load_country(Country::from_index(i)) = countries[i];
    }
  }
  const std::int64_t watermark_s = last_.watermark_us / tally::kMicrosPerSecond;
  const std::unique_ptr<rocksdb::Iterator> cells(
      database_->db->NewIterator({}, database_->families[kCells]));
  for (std::size_t i = 0; i < tally::kRowKinds; ++i) {
    const auto kind = static_cast<tally::RowKind>(i);
    for (cells->Seek(row_key({kind, tally::first_kept(kind, watermark_s)})); cells->Valid();
         cells->Next()) {
      if (is_unknown_row_key(cells->key().ToStringView())) break;  // of a later program
      tally::RowId id;
      auto row = std::make_unique<tally::Row>();
      if (!parse_row_key(cells->key().ToStringView(), id)) {
        throw Refused(
            fmt::format("{}: the key of a row of cells is corrupt; {}", database_->name, kAdvice));
      }
      if (id.kind != kind) break;
      if (!decode_row(cells->value().ToStringView(), id.kind, *row)) {
        throw Refused(fmt::format("{}: a row of cells is corrupt; {}", database_->name, kAdvice));
      }
      totals.load_row(id, std::move(row));
    }
    if (!cells->status().ok()) raise(database_->name, cells->status());
  }
  const std::unique_ptr<rocksdb::Iterator> cities(
      database_->db->NewIterator({}, database_->families[kCities]));
  for (cities->SeekToFirst(); cities->Valid(); cities->Next()) {
    std::uint32_t city = 0;
    if (!parse_city_key(cities->key().ToStringView(), city) ||
        !decode_city(cities->value().ToStringView(), totals.load_city(city))) {
      throw Refused(
          fmt::format("{}: the figures of a city are corrupt; {}", database_->name, kAdvice));
    }
  }
  if (!cities->status().ok()) raise(database_->name, cities->status());
  totals.expire(watermark_s);
  totals.clear_touched();
}

std::vector<Gap> Store::gaps(std::int64_t since_us) const {
  std::vector<Gap> gaps;
  const std::unique_ptr<rocksdb::Iterator> rows(
      database_->db->NewIterator({}, database_->families[kGaps]));
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    Gap gap;
    if (!decode_gap(rows->value().ToStringView(), gap)) {
      throw Refused(fmt::format("{}: a gap is corrupt; {}", database_->name, kAdvice));
    }
    if (gap.to_us > since_us) gaps.push_back(std::move(gap));
  }
  if (!rows->status().ok()) raise(database_->name, rows->status());
  return gaps;
}

std::vector<Store::StoredDay> Store::days(std::int64_t from, std::int64_t to) const {
  std::vector<StoredDay> days;
  const std::unique_ptr<rocksdb::Iterator> rows(
      database_->db->NewIterator({}, database_->families[kDays]));
  for (rows->Seek(number_key(static_cast<std::uint64_t>(from))); rows->Valid(); rows->Next()) {
    std::uint64_t day = 0;
    StoredDay stored;
    if (!parse_number_key(rows->key().ToStringView(), day) ||
        !decode_closing(rows->value().ToStringView(), stored.closing, stored.head)) {
      throw Refused(fmt::format("{}: the row of a day is corrupt; {}", database_->name, kAdvice));
    }
    stored.day = static_cast<std::int64_t>(day);
    if (stored.day > to) break;
    stored.counted.deleted.resize(Country::kLimit);
    if (const auto counted = database_->get(kCells, row_key({tally::RowKind::kDay, stored.day}))) {
      if (!decode_row(*counted, tally::RowKind::kDay, stored.counted)) {
        throw Refused(fmt::format("{}: the row of a day is corrupt; {}", database_->name, kAdvice));
      }
    }
    days.push_back(std::move(stored));
  }
  if (!rows->status().ok()) raise(database_->name, rows->status());
  return days;
}

void Store::for_each_day(const std::function<void(std::int64_t, const tally::Row&)>& visit) const {
  const std::unique_ptr<rocksdb::Iterator> cells(
      database_->db->NewIterator({}, database_->families[kCells]));
  for (cells->Seek(row_key({tally::RowKind::kDay, 0})); cells->Valid(); cells->Next()) {
    if (is_unknown_row_key(cells->key().ToStringView())) break;
    tally::RowId id;
    tally::Row row;
    if (!parse_row_key(cells->key().ToStringView(), id) ||
        (id.kind == tally::RowKind::kDay &&
         !decode_row(cells->value().ToStringView(), id.kind, row))) {
      throw Refused(fmt::format("{}: a row of cells is corrupt; {}", database_->name, kAdvice));
    }
    if (id.kind != tally::RowKind::kDay) break;
    visit(id.bucket, row);
  }
  if (!cells->status().ok()) raise(database_->name, cells->status());
}

std::uint64_t Store::count_passed_over() const {
  std::uint64_t count = 0;
  const auto each = [&](Family family, std::string_view from, const auto& is_unknown) {
    if (database_->families[family] == nullptr) return;
    const std::unique_ptr<rocksdb::Iterator> rows(
        database_->db->NewIterator({}, database_->families[family]));
    for (rows->Seek(rocksdb::Slice(from)); rows->Valid(); rows->Next()) {
      if (is_unknown(rows->key().ToStringView())) ++count;
    }
    if (!rows->status().ok()) raise(database_->name, rows->status());
  };
  const auto all = [](std::string_view) { return true; };
  each(kDefault, "", [](std::string_view key) { return !is_known_key(key); });
  each(kCells, std::string(1, static_cast<char>(tally::kRowKinds)), is_unknown_row_key);
  each(kPast, "", all);
  each(kHistory, "", all);
  return count;
}

bool Store::read_account(tally::AccountKey key, AccountRecord& record) const {
  bool found = false;
  read_accounts({&key, 1}, [&](tally::AccountKey, AccountRecord* read) {
    found = read != nullptr;
    if (found) record = std::move(*read);
  });
  return found;
}

void Store::read_accounts(
    std::span<const tally::AccountKey> keys,
    const std::function<void(tally::AccountKey, AccountRecord*)>& visit) const {
  constexpr std::size_t kAtOnce = 32;  // RocksDB cuts what is longer
  std::array<std::string, kAtOnce> names;
  std::array<rocksdb::Slice, kAtOnce> slices;
  std::array<rocksdb::PinnableSlice, kAtOnce> values;
  std::array<rocksdb::Status, kAtOnce> statuses;
  AccountRecord record;
  rocksdb::ReadOptions options;
  // Keys are spread evenly: the neighbours of an account are not wanted sooner than any other, and
  // taking blocks into the cache and out of it costs a quarter of a read.
  options.fill_cache = false;
  for (; !keys.empty(); keys = keys.subspan(std::min(kAtOnce, keys.size()))) {
    const std::size_t count = std::min(kAtOnce, keys.size());
    for (std::size_t i = 0; i < count; ++i) {
      names[i] = account_key(keys[i]);
      slices[i] = names[i];
      values[i].Reset();
    }
    database_->db->MultiGet(options, database_->families[kAccounts], count, slices.data(),
                            values.data(), statuses.data(), /*sorted_input=*/true);
    for (std::size_t i = 0; i < count; ++i) {
      if (statuses[i].IsNotFound()) {
        visit(keys[i], nullptr);
        continue;
      }
      if (!statuses[i].ok()) raise(database_->name, statuses[i]);
      if (!decode_account(values[i].ToStringView(), record)) {
        throw Refused(
            fmt::format("{}: account {:016x} is corrupt; {}", database_->name, keys[i], kAdvice));
      }
      adopt_format_1(record, opened_watermark_us_);
      visit(keys[i], &record);
    }
  }
}

std::uint64_t Store::estimate_accounts(tally::AccountKey first, tally::AccountKey last) const {
  constexpr std::uint64_t kSample = 4'096;
  const std::unique_ptr<AccountScan> accounts = scan_accounts(first, last);
  tally::AccountKey key = first;
  AccountRecord record;
  for (std::uint64_t found = 0; found < kSample; ++found) {
    if (!accounts->next(key, record)) return found;
  }
  const double part =
      (static_cast<double>(key - first) + 1) / (static_cast<double>(last - first) + 1);
  return static_cast<std::uint64_t>(kSample / part);
}

std::unique_ptr<AccountScan> Store::scan_accounts(tally::AccountKey first,
                                                  tally::AccountKey last) const {
  rocksdb::ReadOptions scan;
  scan.fill_cache = false;
  std::vector<AccountScan::Rows> rows;
  rows.push_back({std::unique_ptr<rocksdb::Iterator>(
                      database_->db->NewIterator(scan, database_->families[kAccounts])),
                  {}});
  return std::make_unique<AccountScan>(std::move(rows), first, last, opened_watermark_us_,
                                       database_->name);
}

std::unique_ptr<AccountLoader> Store::load_accounts() const {
  return std::make_unique<AccountLoader>(*database_->db, database_->families[kAccounts],
                                         *database_->disk, database_->directory,
                                         opened_watermark_us_, database_->name);
}

void Store::for_each_account(
    const std::function<void(tally::AccountKey, const AccountRecord&)>& visit) const {
  const std::unique_ptr<AccountScan> accounts = scan_accounts(0, UINT64_MAX);
  tally::AccountKey key = 0;
  AccountRecord record;
  while (accounts->next(key, record)) visit(key, record);
}

std::vector<Due> Store::due(std::int64_t day, tally::AccountKey first, tally::AccountKey last,
                            std::size_t limit) const {
  std::vector<Due> due;
  const std::unique_ptr<rocksdb::Iterator> rows(
      database_->db->NewIterator({}, database_->families[kDue]));
  for (rows->SeekToFirst(); rows->Valid() && due.size() < limit; rows->Next()) {
    const std::string_view key = rows->key().ToStringView();
    std::uint64_t due_day = 0;
    Due entry;
    if (key.size() != 16 || !parse_number_key(key.substr(0, 8), due_day) ||
        !parse_account_key(key.substr(8), entry.key)) {
      throw Refused(fmt::format("{}: the list of accounts to be erased is corrupt; {}",
                                database_->name, kAdvice));
    }
    entry.day = static_cast<std::int64_t>(due_day);
    if (entry.day > day) break;
    if (entry.key >= first && entry.key <= last) due.push_back(entry);
  }
  if (!rows->status().ok()) raise(database_->name, rows->status());
  return due;
}

void Store::commit(const Commit& commit) {
  if (database_->errors->stopped() || database_->errors->hard()) {
    throw IoError(database_->name + ": it takes no writes since the disk failed");
  }
  if (const auto why = want_of_room(*database_->disk, database_->directory, kReserveBytes)) {
    throw IoError(fmt::format("{}: {}", database_->name, *why));
  }
  Database::Changes changes;
  const auto put = [&](Family family, std::string key) -> std::string& {
    return changes[family].emplace_back(Change{std::move(key), std::string()}).value.emplace();
  };

  encode_commit(commit.record, put(kDefault, kCommitKey));
  if (commit.base != nullptr) encode_base(*commit.base, put(kDefault, kBaseKey));
  if (format_ != kFormat) put(kDefault, kFormatKey) = number_key(kFormat);
  if (commit.totals != nullptr) {
    if (commit.totals->countries_touched() || format_ != kFormat) {
      encode_countries(commit.totals->countries(), put(kDefault, kCountriesKey));
    }
    for (const auto& [id, row] : commit.totals->touched()) {
      encode_row(id.kind, *row, put(kCells, row_key(id)));
    }
    for (const std::uint32_t city : commit.totals->cities_touched()) {
      const tally::CityTotals& total = commit.totals->cities().at(city);
      if (total == tally::CityTotals{}) {
        changes[kCities].push_back({city_key(city), std::nullopt});
      } else {
        encode_city(total, put(kCities, city_key(city)));
      }
    }
    for (const tally::RowId& id : commit.totals->expired()) {
      changes[kCells].push_back({row_key(id), std::nullopt});
    }
  }
  for (const DayClosed& day : commit.days) {
    encode_closing(day.closing, day.head,
                   put(kDays, number_key(static_cast<std::uint64_t>(day.day))));
  }
  std::uint64_t number = commit.record.gaps - commit.gaps.size();
  for (const Gap& gap : commit.gaps) encode_gap(gap, put(kGaps, number_key(number++)));
  for (const Due& due : commit.due) put(kDue, due_key(due));
  for (const Due& due : commit.due_done) {
    changes[kDue].push_back({due_key(due), std::nullopt});
  }
  // Each key once, as a sorted file wants it. An account may become due on one day twice, or on
  // the very day that is being dealt with: what is due stays due.
  for (std::vector<Change>& family : changes) {
    std::sort(family.begin(), family.end(), [](const Change& a, const Change& b) {
      if (a.key != b.key) return a.key < b.key;
      return a.value.has_value() && !b.value.has_value();
    });
    family.erase(std::unique(family.begin(), family.end(),
                             [](const Change& a, const Change& b) { return a.key == b.key; }),
                 family.end());
  }

  if (commit.accounts.size() < kIngestAccounts) {
    database_->write_batch(changes, commit.accounts);
  } else {
    database_->ingest_files(changes, commit.accounts);
  }
  format_ = kFormat;
  last_ = commit.record;
  if (commit.base != nullptr) {
    // Not the floor, which is the same and which shards read meanwhile.
    base_.gaps = commit.base->gaps;
    base_.gap_us = commit.base->gap_us;
    base_.posts = commit.base->posts;
    base_.posts_deleted = commit.base->posts_deleted;
  }
}

bool Store::resume() {
  if (database_->errors->hard()) {
    throw IoError(database_->name + ": the disk failed; the store must be opened again");
  }
  return database_->db->Resume().ok() && !database_->errors->stopped();
}

rocksdb::DB& Store::database() { return *database_->db; }

// RocksDB takes the list of files first and the log after it. A commit in sorted files between the
// two, and one in the log behind it, would leave a copy that has the second without the first: so
// no commit may run meanwhile.
void Store::checkpoint() {
  rocksdb::Checkpoint* raw = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(database_->db.get(), &raw);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  if (status.ok()) {
    status = checkpoint->CreateCheckpoint(std::filesystem::absolute(database_->directory).string() +
                                          "/" + kCheckpoint);
  }
  if (!status.ok()) raise(database_->name, status);
}

std::optional<std::string> Store::answer_backup() {
  const std::string request = database_->directory + "/" + kCheckpointRequest;
  if (::access(request.c_str(), F_OK) != 0) return std::nullopt;
  ::unlink(request.c_str());
  try {
    checkpoint();
    return "";
  } catch (const std::runtime_error& error) {
    std::ofstream(database_->directory + "/" + kCheckpointFailed) << error.what();
    return error.what();
  }
}

void Store::start_counters_again() {
  tally::Totals totals;
  load(totals);
  base_.gaps = last_.gaps;
  base_.gap_us = last_.gap_us;
  for (std::size_t i = 0; i < Country::count(); ++i) {
    base_.posts[i] = totals.country(Country::from_index(i)).posts;
    base_.posts_deleted[i] = totals.country(Country::from_index(i)).posts_deleted;
  }
  std::string bytes;
  encode_base(base_, bytes);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const rocksdb::Status written = database_->db->Put(synced, kBaseKey, bytes);
  if (!written.ok()) raise(database_->name, written);
}

Health Store::health() const {
  Health health;
  rocksdb::DB& db = *database_->db;
  for (rocksdb::ColumnFamilyHandle* family : database_->families) {
    if (family == nullptr) continue;
    const auto add = [&](const std::string& property, std::uint64_t& sum) {
      std::uint64_t value = 0;
      if (db.GetIntProperty(family, property, &value)) sum += value;
    };
    add(rocksdb::DB::Properties::kTotalSstFilesSize, health.sst_bytes);
    add(rocksdb::DB::Properties::kSizeAllMemTables, health.memtable_bytes);
    add(rocksdb::DB::Properties::kEstimatePendingCompactionBytes, health.compaction_pending_bytes);
  }
  health.block_cache_bytes = database_->cache->GetUsage();
  std::uint64_t value = 0;
  if (db.GetIntProperty(rocksdb::DB::Properties::kBackgroundErrors, &value)) {
    health.background_errors = value;
  }
  if (db.GetIntProperty(rocksdb::DB::Properties::kIsWriteStopped, &value)) {
    health.write_stopped = value != 0;
  }
  struct statvfs filesystem {};
  if (::statvfs(database_->directory.c_str(), &filesystem) == 0) {
    health.filesystem_avail_bytes =
        static_cast<std::uint64_t>(filesystem.f_bavail) * filesystem.f_frsize;
  }
  return health;
}

}  // namespace geotally::store
