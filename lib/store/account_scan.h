// The accounts of a store one after the other, as they were at one moment.
#pragma once

#include <memory>
#include <string>

#include "store/codec.h"
#include "tally/account.h"

namespace rocksdb {
class Iterator;
}  // namespace rocksdb

namespace geotally::store {

/// Made by Store::scan_accounts(), which it must not outlive. What is committed meanwhile it does
/// not see, but files that are merged away keep their space until it ends. For one thread.
class AccountScan {
 public:
  /// `rows` stands before the first account that is wanted; `store` is for messages.
  AccountScan(std::unique_ptr<rocksdb::Iterator> rows, tally::AccountKey last, std::string store);
  ~AccountScan();
  AccountScan(const AccountScan&) = delete;
  AccountScan& operator=(const AccountScan&) = delete;

  /// The next account in key order; false = there is none. Throws IoError, or Refused on corrupt
  /// bytes.
  [[nodiscard]] bool next(tally::AccountKey& key, AccountRecord& record);

 private:
  std::unique_ptr<rocksdb::Iterator> rows_;
  const tally::AccountKey last_;
  const std::string store_;
};

}  // namespace geotally::store
