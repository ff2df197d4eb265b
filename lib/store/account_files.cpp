#include <algorithm>
#include <string>

#include <rocksdb/metadata.h>

#include "store/database.h"

namespace geotally::store {
namespace {

rocksdb::ColumnFamilyMetaData files_of(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family) {
  rocksdb::ColumnFamilyMetaData found;
  db.GetColumnFamilyMetaData(family, &found);
  return found;
}

// The file behind all others. Of a level below the first, where no key is in two files, any.
const rocksdb::SstFileMetaData* oldest_of(const rocksdb::ColumnFamilyMetaData& family) {
  const auto level = std::find_if(
      family.levels.rbegin(), family.levels.rend(),
      [](const rocksdb::LevelMetaData& candidate) { return !candidate.files.empty(); });
  return level == family.levels.rend() ? nullptr : &level->files.back();
}

}  // namespace

AccountFiles Store::account_files() const {
  AccountFiles files;
  for (const rocksdb::LevelMetaData& level :
       files_of(*database_->db, database_->families[kAccounts]).levels) {
    for (const rocksdb::SstFileMetaData& file : level.files) {
      files.emplace(file.file_number, file.num_entries);
    }
  }
  return files;
}

// Oldest first, so that at any moment what is left of an account is its newest record.
// DB::DeleteFile() refuses any other order by itself; RocksDB advises against it because what it
// does with files that are being merged is not promised: here they stay, which does no harm.
bool Store::drop_account_files(const AccountFiles& files, std::size_t limit) {
  for (; limit > 0; --limit) {
    const rocksdb::ColumnFamilyMetaData found =
        files_of(*database_->db, database_->families[kAccounts]);
    const rocksdb::SstFileMetaData* oldest = oldest_of(found);
    if (oldest == nullptr || !files.contains(oldest->file_number)) return false;
    const rocksdb::Status dropped = database_->db->DeleteFile(oldest->relative_filename);
    if (!dropped.ok()) return dropped.IsIOError();
  }
  return true;
}

bool Store::set_merging(Merging merging) {
  const int files = merging == Merging::kSoon ? kMergeSoon : kMergeLate;
  return database_->db
      ->SetOptions(database_->families[kAccounts],
                   {{"level0_file_num_compaction_trigger", std::to_string(files)}})
      .ok();
}

}  // namespace geotally::store
