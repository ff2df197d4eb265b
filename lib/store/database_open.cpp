#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>
#include <unistd.h>

#include "store/checkpoint.h"
#include "store/commit_file.h"
#include "store/database.h"
#include "store/forgotten_keys.h"

namespace geotally::store {
namespace {

// Opening fails in two more ways, which RocksDB tells apart by its words alone.
[[noreturn]] void raise_open(const std::string& what, const rocksdb::Status& status) {
  const std::string text = status.ToString();
  if (status.IsIOError() && (text.find("While lock file: ") != std::string::npos ||
                             text.find("lock hold by current process") != std::string::npos)) {
    throw InUse(what + ": it is in use by another process");
  }
  if (status.IsIOError() && (text.find("Permission denied") != std::string::npos ||
                             text.find("Read-only file system") != std::string::npos)) {
    throw CannotCreate(fmt::format("{}: {}", what, text));
  }
  raise(what, status);
}

// The rest is for what RocksDB takes beside its cache: what a compaction reads ahead, the filters
// that it builds, and what the heap loses between blocks that come and go.
std::size_t cache_bytes(const Options& options) { return options.memory_bytes / 4 * 3; }

rocksdb::ColumnFamilyOptions options_of(Family family, const std::shared_ptr<rocksdb::Cache>& cache,
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
  if (family == kAccounts) {
    // Sorted files arrive once a second under load, each over the whole range of keys. Merging
    // costs most of what RocksDB costs: it takes many at once, of one size, and leaves larger files
    // alone until what is new has come near to them.
    options.compaction_style = rocksdb::kCompactionStyleUniversal;
    options.compaction_options_universal.min_merge_width = 8;
    options.level0_file_num_compaction_trigger = kMergeLate;
  } else {
    // The other families are small, and some change once a day: their files would wait for each
    // other through months of restarts.
    options.level0_file_num_compaction_trigger = family == kCells ? 16 : 4;
  }
  options.level0_slowdown_writes_trigger = 2 * kMergeLate;
  options.level0_stop_writes_trigger = 4 * kMergeLate;
  options.write_buffer_size = std::max<std::size_t>(memory_bytes / 8, std::size_t{1} << 20);
  if (family == kAccounts) {
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.whole_key_filtering = true;
    options.optimize_filters_for_hits = false;
    options.table_properties_collector_factories.push_back(forgotten_keys_collector());
  }
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

void prepare_directory(const Options& options) {
  std::error_code error;
  const bool create = options.create && !options.read_only;
  if (create) std::filesystem::create_directories(options.directory, error);
  if (error) raise_create(fmt::format("data directory {}", options.directory), error.value());
  if (!std::filesystem::is_directory(options.directory, error)) {
    throw CannotCreate(fmt::format("data directory {}: it does not exist", options.directory));
  }
  if (!options.read_only && ::access(options.directory.c_str(), W_OK | X_OK) != 0) {
    throw CannotCreate(fmt::format("data directory {}: it is not writable", options.directory));
  }
}

// RocksDB writes when it opens: the logs that it replays as sorted files, a manifest, its options.
// A disk that has no room for them is refused here, where nothing was touched and one line says it
// all. With more, but too little to commit, the daemon starts, answers, and waits.
void refuse_full_disk(rocksdb::Env& disk, const Options& options) {
  constexpr std::uint64_t kOpeningBytes = std::uint64_t{4} << 20;
  std::uint64_t bytes = kOpeningBytes;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(options.directory)) {
    if (entry.path().extension() != ".log") continue;
    const std::uintmax_t log = entry.file_size(ignored);
    if (!ignored) bytes += log;
  }
  if (const auto why = want_of_room(disk, options.directory, bytes)) {
    throw IoError(fmt::format("store {}: {}", options.directory, *why));
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
    const bool part = name.ends_with(".sst") || name.starts_with("MANIFEST-");
    throw Refused(
        fmt::format("store {}: the directory holds {} but no complete store; nothing was changed{}",
                    options.directory, name, part ? fmt::format("; {}", kAdvice) : ""));
  }
}

// The number of the store's format; nothing = a first start did not come as far as its last step.
// Changes nothing.
std::optional<std::uint64_t> stored_format(const rocksdb::DBOptions& options,
                                           const std::string& directory) {
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::OpenForReadOnly(rocksdb::Options(options, {}), directory, &raw);
  if (!opened.ok()) raise_open(fmt::format("store {}", directory), opened);
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::string value;
  const rocksdb::Status read = db->Get({}, kFormatKey, &value);
  if (!read.ok() && !read.IsNotFound()) raise_open(fmt::format("store {}", directory), read);
  if (!read.ok()) return std::nullopt;
  std::uint64_t format = 0;
  static_cast<void>(parse_number_key(value, format));
  return format;
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
  // A backup that was cut off, or whose daemon ended: its files would never be freed.
  for (const char* name : {kCheckpointRequest, kCheckpointFailed, kCheckpoint}) {
    std::filesystem::remove_all(directory + "/" + name, ignored);
  }
  std::filesystem::remove_all(fmt::format("{}/{}.tmp", directory, kCheckpoint), ignored);
}

// The names of a later format may be unknown: its number says more than they do.
void refuse_foreign_families(const std::string& name, const std::string& directory,
                             const rocksdb::DBOptions& options,
                             const std::vector<std::string>& found) {
  for (const std::string& family : found) {
    if (std::ranges::count(kFamilyNames, family) != 0) continue;
    const std::optional<std::uint64_t> format = stored_format(options, directory);
    if (format && !is_read(*format)) throw Refused(other_format(name, *format));
    throw Refused(fmt::format("{}: it is of another format (column family {})", name, family));
  }
}

}  // namespace

// Not in a store of format 1, which older programs open as well until something is committed.
void Store::Database::make_later_families() {
  const std::optional<std::string> bytes = get(kDefault, kFormatKey);
  std::uint64_t format = kFormat;
  if (bytes && !parse_number_key(*bytes, format)) return;
  if (format != kFormat) return;
  for (const Family family : {kPast, kHistory}) {
    if (families[family] != nullptr) continue;
    const rocksdb::Status made =
        db->CreateColumnFamily(family_options[family], kFamilyNames[family], &families[family]);
    if (!made.ok()) raise_open(name, made);
  }
}

std::unique_ptr<Store::Database> Store::Database::open(const Options& options) {
  prepare_directory(options);
  auto database = std::make_unique<Database>();
  database->errors = std::make_shared<DiskErrors>(options.watch);
  database->directory = options.directory;
  database->name = fmt::format("store {}", options.directory);

  const bool exists = std::filesystem::exists(options.directory + "/CURRENT");
  refuse_foreign_directory(options, exists);

  rocksdb::LRUCacheOptions cache;
  cache.capacity = cache_bytes(options);
  cache.num_shard_bits = 2;  // many small shards thrash when index blocks live in the cache
  cache.high_pri_pool_ratio = 0.5;
  database->cache = rocksdb::NewLRUCache(cache);

  rocksdb::DBOptions db_options;
  db_options.create_if_missing = options.create && !exists;
  db_options.create_missing_column_families = db_options.create_if_missing;
  db_options.write_buffer_manager =
      std::make_shared<rocksdb::WriteBufferManager>(cache_bytes(options) / 2, database->cache);
  // Replaying a log costs 8 microseconds a record: it is kept short.
  db_options.max_total_wal_size = std::size_t{8} << 20;
  // A log that was synced must read back whole; only a tail that never was may be cut.
  db_options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  db_options.paranoid_checks = true;
  // A log that other families' files are ahead of must not lose its end unnoticed.
  db_options.track_and_verify_wals_in_manifest = true;
  db_options.max_background_jobs = 2;
  db_options.compaction_readahead_size = std::size_t{64} << 10;
  db_options.keep_log_file_num = 2;
  db_options.max_log_file_size = std::size_t{4} << 20;
  db_options.max_manifest_file_size = std::size_t{16} << 20;
  db_options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  db_options.listeners.push_back(database->errors);
  database->disk = make_disk(options.env, database->errors);
  db_options.env = database->disk.get();
  if (!options.read_only) refuse_full_disk(*database->disk, options);

  std::vector<Family> wanted;
  for (std::size_t i = 0; i < kFamilies; ++i) wanted.push_back(static_cast<Family>(i));
  if (exists) {
    std::vector<std::string> found;
    const rocksdb::Status listed =
        rocksdb::DB::ListColumnFamilies(db_options, options.directory, &found);
    if (!listed.ok()) raise_open(database->name, listed);
    refuse_foreign_families(database->name, options.directory, db_options, found);
    const auto has = [&](const char* name) { return std::ranges::count(found, name) != 0; };
    if (std::all_of(kFamilyNames.begin(), kFamilyNames.begin() + kFamiliesOldest, has)) {
      std::erase_if(wanted, [&](Family family) { return !has(kFamilyNames[family]); });
    } else {
      if (options.read_only || !options.create || stored_format(db_options, options.directory)) {
        throw Refused(
            fmt::format("{}: it is of another format, or was never completed", database->name));
      }
      // A first start that was cut off between two families. Nothing was ever committed.
      db_options.create_missing_column_families = true;
    }
  }

  for (std::size_t i = 0; i < kFamilies; ++i) {
    database->family_options[i] =
        options_of(static_cast<Family>(i), database->cache, cache_bytes(options));
    database->family_options[i].disable_auto_compactions = !options.compact;
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const Family family : wanted) {
    descriptors.emplace_back(kFamilyNames[family], database->family_options[family]);
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status opened =
      options.read_only
          ? rocksdb::DB::OpenForReadOnly(db_options, options.directory, descriptors, &handles, &raw)
          : rocksdb::DB::Open(db_options, options.directory, descriptors, &handles, &raw);
  if (!opened.ok()) raise_open(database->name, opened);
  database->db.reset(raw);
  for (std::size_t i = 0; i < wanted.size(); ++i) database->families[wanted[i]] = handles[i];

  if (!options.read_only) {
    database->make_later_families();
    remove_leftovers(options.directory);
  }
  return database;
}

}  // namespace geotally::store
