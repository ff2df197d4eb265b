#include "store/store.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace geotally::store {
namespace {

// In this order in every open; the names are part of the format.
enum Family : std::size_t { kDefault, kAccounts, kCells, kDays, kGaps, kDue, kFamilies };
constexpr std::array<const char*, kFamilies> kFamilyNames = {"default", "accounts", "cells",
                                                             "days",    "gaps",     "due"};

constexpr const char* kFormatKey = "format";
constexpr const char* kSeedKey = "seed";
constexpr const char* kCommitKey = "commit";
constexpr const char* kCountriesKey = "countries";

// From this many accounts on, a commit goes in as sorted files instead of through memtable and
// log: writing them costs a third, and recovery has no log to replay. bench/README.md has the
// figures; below it, one small synced batch is cheaper than the files' own syncs.
constexpr std::size_t kIngestAccounts = 2'000;

// So much is left on the disk: a full one is met here, where nothing is half done, and not inside
// RocksDB, which does not go on after it.
constexpr std::uint64_t kReserveBytes = std::uint64_t{32} << 20;

// Its files, until RocksDB takes them in.
constexpr const char* kCommitFilePrefix = "commit-";
constexpr const char* kCommitFileSuffix = ".sst.tmp";

// One change of one key; no value = it is removed.
struct Change {
  std::string key;
  std::optional<std::string> value;
};

bool is_corruption(const rocksdb::Status& status) {
  return status.IsCorruption() || status.IsNotFound() || status.IsPathNotFound() ||
         status.IsNotSupported() || status.IsInvalidArgument();
}

[[noreturn]] void raise(const std::string& what, const rocksdb::Status& status) {
  const std::string line = fmt::format("{}: {}", what, status.ToString());
  if (is_corruption(status)) throw Refused(line);
  throw IoError(line);
}

// Opening fails in two more ways, which RocksDB tells apart by its words alone.
[[noreturn]] void raise_open(const std::string& what, const rocksdb::Status& status) {
  const std::string text = status.ToString();
  if (status.IsIOError() && (text.find("While lock file: ") != std::string::npos ||
                             text.find("lock hold by current process") != std::string::npos)) {
    throw Refused(what + ": it is in use by another process");
  }
  if (status.IsIOError() && (text.find("Permission denied") != std::string::npos ||
                             text.find("Read-only file system") != std::string::npos)) {
    throw CannotCreate(fmt::format("{}: {}", what, text));
  }
  raise(what, status);
}

std::string due_key(const Due& due) {
  return number_key(static_cast<std::uint64_t>(due.day)) + account_key(due.key);
}

rocksdb::ColumnFamilyOptions family_options(Family family,
                                            const std::shared_ptr<rocksdb::Cache>& cache,
                                            std::size_t memory_bytes) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  // Index and filters count against the cache: memory is bounded by one number.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  rocksdb::ColumnFamilyOptions options;
  options.compression = rocksdb::kNoCompression;
  // Sorted files arrive once a second under load; compaction in small bites would eat a core.
  options.level0_file_num_compaction_trigger = 16;
  options.level0_slowdown_writes_trigger = 64;
  options.level0_stop_writes_trigger = 128;
  options.write_buffer_size = std::max<std::size_t>(memory_bytes / 8, std::size_t{1} << 20);
  if (family == kAccounts) {
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.whole_key_filtering = true;
    options.optimize_filters_for_hits = false;
  }
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

void prepare_directory(const Options& options) {
  std::error_code error;
  const bool create = options.create && !options.read_only;
  if (create) std::filesystem::create_directories(options.directory, error);
  if (error) {
    throw CannotCreate(fmt::format("data directory {}: {}", options.directory, error.message()));
  }
  if (!std::filesystem::is_directory(options.directory, error)) {
    throw CannotCreate(fmt::format("data directory {}: it does not exist", options.directory));
  }
  if (!options.read_only && ::access(options.directory.c_str(), W_OK | X_OK) != 0) {
    throw CannotCreate(fmt::format("data directory {}: it is not writable", options.directory));
  }
}

// A directory that holds other things is never turned into a store.
void refuse_foreign_directory(const Options& options, bool exists) {
  if (exists) return;
  if (!options.create || options.read_only) {
    throw Refused(fmt::format("store {}: there is none", options.directory));
  }
  for (const auto& entry : std::filesystem::directory_iterator(options.directory)) {
    const std::string name = entry.path().filename().string();
    // A first start that was cut off leaves these. Logs and later manifests come after CURRENT:
    // they belong to a store that has lost it.
    if (name == "LOCK" || name.starts_with("LOG") || name == "lost+found" || name == "IDENTITY" ||
        name == "MANIFEST-000001" || name.ends_with(".dbtmp")) {
      continue;
    }
    throw Refused(
        fmt::format("store {}: the directory holds {} but no complete store; nothing was changed",
                    options.directory, name));
  }
}

// Whether a first start came as far as its last step. Changes nothing.
bool has_format(const rocksdb::DBOptions& options, const std::string& directory) {
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::OpenForReadOnly(rocksdb::Options(options, {}), directory, &raw);
  if (!opened.ok()) raise_open(fmt::format("store {}", directory), opened);
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::string value;
  const rocksdb::Status read = db->Get({}, kFormatKey, &value);
  if (!read.ok() && !read.IsNotFound()) raise_open(fmt::format("store {}", directory), read);
  return read.ok();
}

// Files of a commit that a crash cut off before RocksDB took them in.
void remove_leftovers(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kCommitFilePrefix) && name.ends_with(kCommitFileSuffix)) {
      std::filesystem::remove(entry.path(), ignored);
    }
  }
}

}  // namespace

// Hears of RocksDB's errors, from any of its threads. After a hard one RocksDB 7.8 says that it has
// recovered, but goes on with a log file that it knows to be broken and hands out no numbers for
// files to be taken in; Debian's build aborts by its own assertions then. So that is the end.
class ErrorListener : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                         rocksdb::Status* error) override {
    if (error->severity() >= rocksdb::Status::kHardError) hard = true;
    stopped = true;
  }
  void OnErrorRecoveryCompleted(rocksdb::Status /*error*/) override { stopped = false; }

  std::atomic<bool> stopped{false};
  std::atomic<bool> hard{false};
};

struct Store::Database {
  std::string directory;
  std::string name;  // for messages
  std::shared_ptr<rocksdb::Cache> cache;
  rocksdb::Options base;  // of the sorted files that commits write
  std::array<rocksdb::ColumnFamilyOptions, kFamilies> family_options;
  std::unique_ptr<rocksdb::DB> db;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilies> families{};
  std::shared_ptr<ErrorListener> errors = std::make_shared<ErrorListener>();
  std::uint64_t files_written = 0;

  ~Database() {
    if (!db) return;
    for (rocksdb::ColumnFamilyHandle* family : families) {
      if (family != nullptr) db->DestroyColumnFamilyHandle(family);
    }
    db->Close();
  }

  std::optional<std::string> get(Family family, std::string_view key) const {
    std::string value;
    const rocksdb::Status status = db->Get({}, families[family], rocksdb::Slice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) raise(name, status);
    return value;
  }

  using Changes = std::array<std::vector<Change>, kFamilies>;
  void write_batch(const Changes& changes, const std::vector<AccountChange>& accounts);
  void ingest_files(const Changes& changes, const std::vector<AccountChange>& accounts);
};

Store::Store(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Store::~Store() = default;

std::unique_ptr<Store> Store::open(const Options& options) {
  prepare_directory(options);
  auto database = std::make_unique<Database>();
  database->directory = options.directory;
  database->name = fmt::format("store {}", options.directory);

  const bool exists = std::filesystem::exists(options.directory + "/CURRENT");
  refuse_foreign_directory(options, exists);

  rocksdb::LRUCacheOptions cache;
  cache.capacity = options.memory_bytes;
  cache.num_shard_bits = 2;  // many small shards thrash when index blocks live in the cache
  cache.high_pri_pool_ratio = 0.5;
  database->cache = rocksdb::NewLRUCache(cache);

  rocksdb::DBOptions db_options;
  db_options.create_if_missing = options.create && !exists;
  db_options.create_missing_column_families = db_options.create_if_missing;
  db_options.write_buffer_manager =
      std::make_shared<rocksdb::WriteBufferManager>(options.memory_bytes / 2, database->cache);
  // Replaying a log costs 8 microseconds a record: it is kept short.
  db_options.max_total_wal_size = std::size_t{8} << 20;
  // A log that was synced must read back whole; only a tail that never was may be cut.
  db_options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  db_options.paranoid_checks = true;
  // A log that other families' files are ahead of must not lose its end unnoticed.
  db_options.track_and_verify_wals_in_manifest = !options.read_only;
  db_options.max_background_jobs = 2;
  db_options.keep_log_file_num = 2;
  db_options.max_log_file_size = std::size_t{4} << 20;
  db_options.max_manifest_file_size = std::size_t{16} << 20;
  db_options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  db_options.listeners.push_back(database->errors);
  if (options.env != nullptr) db_options.env = options.env;

  if (exists) {
    std::vector<std::string> found;
    const rocksdb::Status listed =
        rocksdb::DB::ListColumnFamilies(db_options, options.directory, &found);
    if (!listed.ok()) raise_open(database->name, listed);
    for (const std::string& family : found) {
      if (std::find(kFamilyNames.begin(), kFamilyNames.end(), family) == kFamilyNames.end()) {
        throw Refused(
            fmt::format("{}: it is of another format (column family {})", database->name, family));
      }
    }
    if (found.size() != kFamilies) {
      if (options.read_only || !options.create || has_format(db_options, options.directory)) {
        throw Refused(
            fmt::format("{}: it is of another format, or was never completed", database->name));
      }
      // A first start that was cut off between two families. Nothing was ever committed.
      db_options.create_missing_column_families = true;
    }
  }

  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    database->family_options[i] =
        family_options(static_cast<Family>(i), database->cache, options.memory_bytes);
    descriptors.emplace_back(kFamilyNames[i], database->family_options[i]);
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status opened =
      options.read_only
          ? rocksdb::DB::OpenForReadOnly(db_options, options.directory, descriptors, &handles, &raw)
          : rocksdb::DB::Open(db_options, options.directory, descriptors, &handles, &raw);
  if (!opened.ok()) raise_open(database->name, opened);
  database->db.reset(raw);
  std::copy(handles.begin(), handles.end(), database->families.begin());
  database->base.env = raw->GetEnv();

  if (!options.read_only) remove_leftovers(options.directory);

  std::unique_ptr<Store> store(new Store(std::move(database)));
  Database& opened_database = *store->database_;
  std::uint64_t format = 0;
  if (const auto bytes = opened_database.get(kDefault, kFormatKey)) {
    if (!parse_number_key(*bytes, format) || format != kFormat) {
      throw Refused(fmt::format("{}: its format is {}, this program reads {}", opened_database.name,
                                format, kFormat));
    }
    const auto seed = opened_database.get(kDefault, kSeedKey);
    if (!seed || !parse_number_key(*seed, store->seed_)) {
      throw Refused(fmt::format("{}: it has no readable seed", opened_database.name));
    }
    if (const auto commit = opened_database.get(kDefault, kCommitKey)) {
      if (!decode_commit(*commit, store->last_)) {
        throw Refused(fmt::format("{}: its commit record is corrupt", opened_database.name));
      }
    }
    return store;
  }
  if (options.read_only || opened_database.get(kDefault, kCommitKey)) {
    throw Refused(fmt::format("{}: it has no format number", opened_database.name));
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
      throw Refused(database_->name + ": its country totals are corrupt");
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
      tally::RowId id;
      auto row = std::make_unique<tally::Row>();
      if (!parse_row_key(cells->key().ToStringView(), id)) {
        throw Refused(database_->name + ": the key of a row of cells is corrupt");
      }
      if (id.kind != kind) break;
      if (!decode_row(cells->value().ToStringView(), id.kind, *row)) {
        throw Refused(database_->name + ": a row of cells is corrupt");
      }
      totals.load_row(id, std::move(row));
    }
    if (!cells->status().ok()) raise(database_->name, cells->status());
  }
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
      throw Refused(database_->name + ": a gap is corrupt");
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
        !decode_closing(rows->value().ToStringView(), stored.closing, stored.gap_us)) {
      throw Refused(database_->name + ": the row of a day is corrupt");
    }
    stored.day = static_cast<std::int64_t>(day);
    if (stored.day > to) break;
    stored.counted.deleted.resize(Country::kLimit);
    if (const auto counted = database_->get(kCells, row_key({tally::RowKind::kDay, stored.day}))) {
      if (!decode_row(*counted, tally::RowKind::kDay, stored.counted)) {
        throw Refused(database_->name + ": the row of a day is corrupt");
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
    tally::RowId id;
    tally::Row row;
    if (!parse_row_key(cells->key().ToStringView(), id) ||
        (id.kind == tally::RowKind::kDay &&
         !decode_row(cells->value().ToStringView(), id.kind, row))) {
      throw Refused(database_->name + ": a row of cells is corrupt");
    }
    if (id.kind != tally::RowKind::kDay) break;
    visit(id.bucket, row);
  }
  if (!cells->status().ok()) raise(database_->name, cells->status());
}

bool Store::read_account(tally::AccountKey key, AccountRecord& record) const {
  rocksdb::PinnableSlice value;
  const rocksdb::Status status =
      database_->db->Get({}, database_->families[kAccounts], account_key(key), &value);
  if (status.IsNotFound()) return false;
  if (!status.ok()) raise(database_->name, status);
  if (!decode_account(value.ToStringView(), record)) {
    throw Refused(fmt::format("{}: account {:016x} is corrupt", database_->name, key));
  }
  return true;
}

void Store::for_each_account(
    const std::function<void(tally::AccountKey, const AccountRecord&)>& visit) const {
  rocksdb::ReadOptions scan;
  scan.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> rows(
      database_->db->NewIterator(scan, database_->families[kAccounts]));
  AccountRecord record;
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    tally::AccountKey key = 0;
    if (!parse_account_key(rows->key().ToStringView(), key) ||
        !decode_account(rows->value().ToStringView(), record)) {
      throw Refused(fmt::format("{}: account {:016x} is corrupt", database_->name, key));
    }
    visit(key, record);
  }
  if (!rows->status().ok()) raise(database_->name, rows->status());
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
      throw Refused(database_->name + ": the list of accounts to be erased is corrupt");
    }
    entry.day = static_cast<std::int64_t>(due_day);
    if (entry.day > day) break;
    if (entry.key >= first && entry.key <= last) due.push_back(entry);
  }
  if (!rows->status().ok()) raise(database_->name, rows->status());
  return due;
}

void Store::commit(const Commit& commit) {
  if (database_->errors->stopped || database_->errors->hard) {
    throw IoError(database_->name + ": it takes no writes since the disk failed");
  }
  std::uint64_t free_bytes = 0;
  if (database_->base.env->GetFreeSpace(database_->directory, &free_bytes).ok() &&
      free_bytes < kReserveBytes) {
    throw IoError(fmt::format("{}: the disk is full: {} bytes are left, {} are kept free",
                              database_->name, free_bytes, kReserveBytes));
  }
  Database::Changes changes;
  const auto put = [&](Family family, std::string key) -> std::string& {
    return changes[family].emplace_back(Change{std::move(key), std::string()}).value.emplace();
  };

  encode_commit(commit.record, put(kDefault, kCommitKey));
  if (commit.totals != nullptr) {
    if (commit.totals->countries_touched()) {
      encode_countries(*commit.totals, put(kDefault, kCountriesKey));
    }
    for (const auto& [id, row] : commit.totals->touched()) {
      encode_row(id.kind, *row, put(kCells, row_key(id)));
    }
    for (const tally::RowId& id : commit.totals->expired()) {
      changes[kCells].push_back({row_key(id), std::nullopt});
    }
  }
  for (const DayClosed& day : commit.days) {
    encode_closing(day.closing, day.gap_us,
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
  last_ = commit.record;
}

void Store::Database::write_batch(const Changes& changes,
                                  const std::vector<AccountChange>& accounts) {
  rocksdb::WriteBatch batch;
  for (std::size_t family = 0; family < kFamilies; ++family) {
    for (const Change& change : changes[family]) {
      if (change.value) {
        batch.Put(families[family], change.key, *change.value);
      } else {
        batch.Delete(families[family], change.key);
      }
    }
  }
  for (const AccountChange& account : accounts) {
    if (account.value.empty()) {
      batch.Delete(families[kAccounts], account_key(account.key));
    } else {
      batch.Put(families[kAccounts], account_key(account.key), rocksdb::Slice(account.value));
    }
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const rocksdb::Status status = db->Write(synced, &batch);
  if (!status.ok()) raise(name, status);
}

// One sorted file a column family, taken in together: RocksDB's manifest records them in one
// atomic group (rocksdb wiki, "Creating and Ingesting SST files").
void Store::Database::ingest_files(const Changes& changes,
                                   const std::vector<AccountChange>& accounts) {
  std::vector<rocksdb::IngestExternalFileArg> files;
  // Whatever happens: a full disk must not fill up with the files of failed attempts.
  std::vector<std::string> paths;
  const auto remove = [this](std::vector<std::string>* left) {
    for (const std::string& path : *left) base.env->DeleteFile(path);  // gone already, if taken in
  };
  const std::unique_ptr<std::vector<std::string>, decltype(remove)> remover(&paths, remove);
  const auto check = [&](const rocksdb::Status& status) {
    if (!status.ok()) raise(name, status);
  };
  const auto write = [&](Family family, const auto& fill) {
    rocksdb::Options options(rocksdb::DBOptions(), family_options[family]);
    options.env = base.env;
    const std::string path = fmt::format("{}/{}{}-{}{}", directory, kCommitFilePrefix,
                                         kFamilyNames[family], files_written++, kCommitFileSuffix);
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), options, families[family]);
    paths.push_back(path);
    check(writer.Open(path));
    fill(writer);
    check(writer.Finish());
    rocksdb::IngestExternalFileArg& file = files.emplace_back();
    file.column_family = families[family];
    file.external_files = {path};
    file.options.move_files = true;
    file.options.failed_move_fall_back_to_copy = true;
    file.options.write_global_seqno = false;
    file.options.snapshot_consistency = true;
  };
  for (std::size_t family = 0; family < kFamilies; ++family) {
    if (changes[family].empty()) continue;
    write(static_cast<Family>(family), [&](rocksdb::SstFileWriter& writer) {
      for (const Change& change : changes[family]) {
        check(change.value ? writer.Put(change.key, *change.value) : writer.Delete(change.key));
      }
    });
  }
  if (!accounts.empty())
    write(kAccounts, [&](rocksdb::SstFileWriter& writer) {
      for (const AccountChange& account : accounts) {
        const std::string key = account_key(account.key);
        check(account.value.empty() ? writer.Delete(key)
                                    : writer.Put(key, rocksdb::Slice(account.value)));
      }
    });
  check(db->IngestExternalFiles(files));
}

bool Store::resume() {
  if (database_->errors->hard) {
    throw IoError(database_->name + ": the disk failed; the store must be opened again");
  }
  return database_->db->Resume().ok() && !database_->errors->stopped;
}

Health Store::health() const {
  Health health;
  rocksdb::DB& db = *database_->db;
  for (rocksdb::ColumnFamilyHandle* family : database_->families) {
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
