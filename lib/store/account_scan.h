// The accounts of a store one after the other.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "store/codec.h"
#include "tally/sample.h"

namespace rocksdb {
class Iterator;
}  // namespace rocksdb

namespace geotally::store {

/// Made by Store::scan_accounts() or AccountLoader::scan(), whose maker it must not outlive. What
/// is committed meanwhile it does not see, but files that are merged away keep their space until it
/// ends. For one thread.
class AccountScan {
 public:
  /// Rows that are sorted by key.
  struct Rows {
    std::unique_ptr<rocksdb::Iterator> iterator;
    std::span<const tally::AccountKey> forgotten;  ///< accounts that older rows may still have
  };

  /// Of keys [first, last] in `rows`, newest first. `watermark_us`: of the store, for records of
  /// format 1. `store` is for messages.
  AccountScan(std::vector<Rows> rows, tally::AccountKey first, tally::AccountKey last,
              std::int64_t watermark_us, std::string store);
  ~AccountScan();
  AccountScan(const AccountScan&) = delete;
  AccountScan& operator=(const AccountScan&) = delete;

  /// The next account; false = there is none. Each comes once; in key order if there is but one of
  /// `rows`. Throws IoError, or Refused on corrupt bytes.
  [[nodiscard]] bool next(tally::AccountKey& key, AccountRecord& record);

 private:
  void begin_rows();
  void end_rows();

  std::vector<Rows> rows_;
  const tally::AccountKey first_;
  const tally::AccountKey last_;
  const std::int64_t watermark_us_;
  const std::string store_;
  std::size_t current_ = 0;  // of rows_
  struct Keys;
  std::unique_ptr<Keys> known_;  // from newer rows; unused if there are no others
};

}  // namespace geotally::store
