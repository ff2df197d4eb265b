#include "store/account_scan.h"

#include <utility>

#include <boost/unordered/unordered_flat_set.hpp>
#include <fmt/format.h>
#include <rocksdb/iterator.h>

#include "store/checkpoint.h"
#include "store/database.h"

namespace geotally::store {

struct AccountScan::Keys : boost::unordered_flat_set<tally::AccountKey> {};

AccountScan::AccountScan(std::vector<Rows> rows, tally::AccountKey first, tally::AccountKey last,
                         std::int64_t watermark_us, std::string store)
    : rows_(std::move(rows)),
      first_(first),
      last_(last),
      watermark_us_(watermark_us),
      store_(std::move(store)),
      known_(std::make_unique<Keys>()) {
  if (!rows_.empty()) begin_rows();
}

AccountScan::~AccountScan() = default;

void AccountScan::begin_rows() { rows_[current_].iterator->Seek(account_key(first_)); }

void AccountScan::end_rows() {
  Rows& rows = rows_[current_];
  if (!rows.iterator->status().ok()) raise(store_, rows.iterator->status());
  known_->insert(rows.forgotten.begin(), rows.forgotten.end());
  rows.iterator.reset();
  if (++current_ < rows_.size()) begin_rows();
}

bool AccountScan::next(tally::AccountKey& key, AccountRecord& record) {
  while (current_ < rows_.size()) {
    rocksdb::Iterator& row = *rows_[current_].iterator;
    if (!row.Valid()) {
      end_rows();
      continue;
    }
    if (!parse_account_key(row.key().ToStringView(), key)) {
      throw Refused(fmt::format("{}: the key of an account is corrupt; {}", store_, kAdvice));
    }
    if (key > last_) {
      end_rows();
      continue;
    }
    if (rows_.size() > 1 && !known_->insert(key).second) {
      row.Next();
      continue;
    }
    if (!decode_account(row.value().ToStringView(), record)) {
      throw Refused(fmt::format("{}: account {:016x} is corrupt; {}", store_, key, kAdvice));
    }
    adopt_format_1(record, watermark_us_);
    row.Next();
    return true;
  }
  return false;
}

}  // namespace geotally::store
