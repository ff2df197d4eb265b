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
enum Family : std::size_t { kDefault, kAccounts, kCells, kDays, kGaps, kDue, kCities, kFamilies };
inline constexpr std::array<const char*, kFamilies> kFamilyNames = {
    "default", "accounts", "cells", "days", "gaps", "due", "cities"};

inline constexpr const char* kFormatKey = "format";
inline constexpr const char* kSeedKey = "seed";
inline constexpr const char* kCommitKey = "commit";
inline constexpr const char* kCountriesKey = "countries";
inline constexpr const char* kBaseKey = "base";

// Files of accounts that RocksDB merges: when accounts are read from them, and when they are not.
inline constexpr int kMergeSoon = 32;
inline constexpr int kMergeLate = 128;

/// One change of one key; no value = it is removed.
struct Change {
  std::string key;
  std::optional<std::string> value;
};

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

  /// One synced batch.
  void write_batch(const Changes& changes, const std::vector<AccountChange>& accounts);
  /// One sorted file a family, taken in together.
  void ingest_files(const Changes& changes, const std::vector<AccountChange>& accounts);

  std::string directory;
  std::string name;  // for messages
  std::shared_ptr<DiskErrors> errors = std::make_shared<DiskErrors>();
  std::unique_ptr<rocksdb::Env> disk;
  std::shared_ptr<rocksdb::Cache> cache;
  std::array<rocksdb::ColumnFamilyOptions, kFamilies> family_options;
  std::unique_ptr<rocksdb::DB> db;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilies> families{};
  std::uint64_t files_written = 0;
};

}  // namespace geotally::store
