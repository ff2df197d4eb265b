// All accounts of a store, for bringing them into memory.
//
// RocksDB's iterator over a family merges its files, which takes 750 ns a record where an account
// lies in several of them. Here they are read one after the other, newest first, and of an account
// all but the first record are passed over: 90 ns a record.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/account_scan.h"
#include "tally/sample.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
class SstFileReader;
}  // namespace rocksdb

namespace geotally::store {

/// Made by Store::load_accounts(), which it must not outlive. Its files keep their space until it
/// ends. Thread-safe.
class AccountLoader {
 public:
  /// `watermark_us`: of the store, for records of format 1. `store` is for messages. Throws IoError
  /// or Refused.
  AccountLoader(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* accounts, rocksdb::Env& disk,
                std::string directory, std::int64_t watermark_us, std::string store);
  ~AccountLoader();
  AccountLoader(const AccountLoader&) = delete;
  AccountLoader& operator=(const AccountLoader&) = delete;

  /// The accounts of keys [first, last], each once, in no order. It remembers their keys, so ranges
  /// should be small.
  [[nodiscard]] std::unique_ptr<AccountScan> scan(tally::AccountKey first,
                                                  tally::AccountKey last) const;

 private:
  struct File {
    std::unique_ptr<rocksdb::SstFileReader> reader;
    std::vector<tally::AccountKey> forgotten;  // sorted
  };

  void open_files(rocksdb::Env& disk, const std::string& directory);

  rocksdb::DB& db_;
  rocksdb::ColumnFamilyHandle* const accounts_;
  const std::int64_t watermark_us_;
  const std::string store_;
  std::vector<File> files_;  // newest first
  bool by_file_ = true;      // each of them says which accounts it removes
};

}  // namespace geotally::store
