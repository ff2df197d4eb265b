#include "store/account_scan.h"

#include <utility>

#include <fmt/format.h>
#include <rocksdb/iterator.h>

#include "store/checkpoint.h"
#include "store/database.h"

namespace geotally::store {

AccountScan::AccountScan(std::unique_ptr<rocksdb::Iterator> rows, tally::AccountKey last,
                         std::string store)
    : rows_(std::move(rows)), last_(last), store_(std::move(store)) {}

AccountScan::~AccountScan() = default;

bool AccountScan::next(tally::AccountKey& key, AccountRecord& record) {
  if (!rows_->Valid()) {
    if (!rows_->status().ok()) raise(store_, rows_->status());
    return false;
  }
  if (!parse_account_key(rows_->key().ToStringView(), key) ||
      !decode_account(rows_->value().ToStringView(), record)) {
    throw Refused(fmt::format("{}: account {:016x} is corrupt; {}", store_, key, kAdvice));
  }
  if (key > last_) return false;
  rows_->Next();
  return true;
}

}  // namespace geotally::store
