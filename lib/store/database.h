// The RocksDB behind a Store: how it is opened, and the two ways in which a commit gets into it.
// Inside lib/store only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>

#include "store/disk.h"
#include "store/store.h"

namespace geotally::store {

// In this order in every open; the names are part of the format.
enum Family : std::size_t {
  kDefault,
  kAccounts,
  kCells,
  kDays,
  kGaps,
  kDue,
  kCities,
  // Since format 2. A store that format 1 made has them from the first open after the commit that
  // made it format 2: until then it is to be one of format 1, whole.
  kPast,
  kHistory,
  kFamilies
};
inline constexpr std::size_t kFamiliesOldest = kPast;  // as many has a store of format 1
inline constexpr std::array<const char*, kFamilies> kFamilyNames = {
    "default", "accounts", "cells", "days", "gaps", "due", "cities", "past", "history"};

inline constexpr const char* kFormatKey = "format";
inline constexpr const char* kSeedKey = "seed";
inline constexpr const char* kCommitKey = "commit";
inline constexpr const char* kCountriesKey = "countries";
inline constexpr const char* kBaseKey = "base";
/// Any other key of the family `default` is kept as it is.
[[nodiscard]] bool is_known_key(std::string_view key);

// Files of accounts that RocksDB merges: when accounts are read from them, and when they are not.
inline constexpr int kMergeSoon = 32;
inline constexpr int kMergeLate = 128;

/// One change of one key; no value = it is removed.
struct Change {
  std::string key;
  std::optional<std::string> value;
};

/// Whether this program reads stores of this format.
[[nodiscard]] constexpr bool is_read(std::uint64_t format) {
  return format >= kFormatOldest && format <= kFormat;
}
/// The line that refuses any other.
[[nodiscard]] std::string other_format(const std::string& name, std::uint64_t format);
/// Throws Refused.
void refuse_unknown_network(const std::string& name, const CommitRecord& record);

/// Throws Refused when `status` means that the bytes are wrong, else IoError.
[[noreturn]] void raise(const std::string& what, const rocksdb::Status& status);

struct Store::Database {
  using Changes = std::array<std::vector<Change>, kFamilies>;  // each sorted, keys once

  /// Opens or creates the database, all families; says nothing of what is in them.
  [[nodiscard]] static std::unique_ptr<Database> open(const Options& options);
  Database() = default;
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] std::optional<std::string> get(Family family, std::string_view key) const;

  /// Makes those families that only format 2 has, in a store of it or one that is being made.
  void make_later_families();

  /// One synced batch.
  void write_batch(const Changes& changes, const std::vector<AccountChange>& accounts);
  /// One sorted file a family, taken in together.
  void ingest_files(const Changes& changes, const std::vector<AccountChange>& accounts);

  std::string directory;
  std::string name;  // for messages
  std::shared_ptr<DiskErrors> errors;
  std::unique_ptr<rocksdb::Env> disk;
  std::shared_ptr<rocksdb::Cache> cache;
  std::array<rocksdb::ColumnFamilyOptions, kFamilies> family_options;
  std::unique_ptr<rocksdb::DB> db;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilies> families{};  // null = there is none
  std::uint64_t files_written = 0;
};

}  // namespace geotally::store
