#include "store/account_loader.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <rocksdb/metadata.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table.h>

#include "store/database.h"
#include "store/forgotten_keys.h"

namespace geotally::store {
namespace {

// Of each file, at once: much for a disk, little for two threads with a hundred files each.
constexpr std::size_t kReadAhead = std::size_t{64} << 10;

rocksdb::ReadOptions scanning() {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = kReadAhead;
  return options;
}

}  // namespace

AccountLoader::AccountLoader(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* accounts,
                             rocksdb::Env& disk, std::string directory, std::int64_t watermark_us,
                             std::string store)
    : db_(db), accounts_(accounts), watermark_us_(watermark_us), store_(std::move(store)) {
  const auto check = [this](const rocksdb::Status& status) {
    if (!status.ok()) raise(store_, status);
  };
  check(db_.Flush({}, accounts_));  // what a log held is in files since the store was opened
  // What is listed must be there until it is open.
  check(db_.DisableFileDeletions());
  const auto enable = [](rocksdb::DB* disabled) {
    static_cast<void>(disabled->EnableFileDeletions(/*force=*/false));
  };
  const std::unique_ptr<rocksdb::DB, decltype(enable)> enabler(&db_, enable);
  open_files(disk, directory);
}

AccountLoader::~AccountLoader() = default;

void AccountLoader::open_files(rocksdb::Env& disk, const std::string& directory) {
  rocksdb::Options options;
  options.env = &disk;
  // Each block is read once, and no filter is asked. The index of a file takes 0.3 bytes a record.
  rocksdb::BlockBasedTableOptions table;
  table.no_block_cache = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));

  rocksdb::ColumnFamilyMetaData family;
  db_.GetColumnFamilyMetaData(accounts_, &family);
  // Levels, and the files of the first one, are in this order themselves.
  for (const rocksdb::LevelMetaData& level : family.levels) {
    for (const rocksdb::SstFileMetaData& found : level.files) {
      File& file = files_.emplace_back();
      file.reader = std::make_unique<rocksdb::SstFileReader>(options);
      const rocksdb::Status opened = file.reader->Open(directory + "/" + found.relative_filename);
      if (!opened.ok()) raise(store_, opened);
      std::optional<std::vector<tally::AccountKey>> forgotten =
          forgotten_keys(*file.reader->GetTableProperties());
      if (!forgotten) {
        by_file_ = false;
        files_.clear();
        return;
      }
      file.forgotten = std::move(*forgotten);
      std::sort(file.forgotten.begin(), file.forgotten.end());
    }
  }
}

std::unique_ptr<AccountScan> AccountLoader::scan(tally::AccountKey first,
                                                 tally::AccountKey last) const {
  std::vector<AccountScan::Rows> rows;
  if (by_file_) {
    for (const File& file : files_) {
      const auto begin = std::lower_bound(file.forgotten.begin(), file.forgotten.end(), first);
      const auto end = std::upper_bound(begin, file.forgotten.end(), last);
      rows.push_back(
          {std::unique_ptr<rocksdb::Iterator>(file.reader->NewIterator(scanning())), {begin, end}});
    }
  } else {
    rows.push_back(
        {std::unique_ptr<rocksdb::Iterator>(db_.NewIterator(scanning(), accounts_)), {}});
  }
  return std::make_unique<AccountScan>(std::move(rows), first, last, watermark_us_, store_);
}

}  // namespace geotally::store
