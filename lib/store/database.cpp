#include "store/database.h"

#include <utility>

#include <fmt/format.h>
#include <rocksdb/sst_file_writer.h>

#include "store/checkpoint.h"
#include "store/commit_file.h"

namespace geotally::store {

namespace {

bool is_corruption(const rocksdb::Status& status) {
  return status.IsCorruption() || status.IsNotFound() || status.IsPathNotFound() ||
         status.IsNotSupported() || status.IsInvalidArgument();
}

}  // namespace

bool is_known_key(std::string_view key) {
  return key == kFormatKey || key == kSeedKey || key == kCommitKey || key == kCountriesKey ||
         key == kBaseKey;
}

std::string other_format(const std::string& name, std::uint64_t format) {
  return fmt::format("{}: its format is {}, this program reads {} and {}", name, format,
                     kFormatOldest, kFormat);
}

void refuse_unknown_network(const std::string& name, const CommitRecord& record) {
  const auto network = static_cast<std::size_t>(record.network);
  if (network < kNetworks) return;
  throw Refused(
      fmt::format("{}: it counts network {}, which this program does not know", name, network));
}

[[noreturn]] void raise(const std::string& what, const rocksdb::Status& status) {
  const std::string line = fmt::format("{}: {}", what, status.ToString());
  if (is_corruption(status)) throw Refused(fmt::format("{}; {}", line, kAdvice));
  throw IoError(line);
}

Store::Database::~Database() {
  if (!db) return;
  for (rocksdb::ColumnFamilyHandle* family : families) {
    if (family != nullptr) db->DestroyColumnFamilyHandle(family);
  }
  db->Close();
}

std::optional<std::string> Store::Database::get(Family family, std::string_view key) const {
  std::string value;
  const rocksdb::Status status = db->Get({}, families[family], rocksdb::Slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) raise(name, status);
  return value;
}

void Store::Database::write_batch(const Changes& changes,
                                  const std::vector<AccountChange>& accounts) {
  rocksdb::WriteBatch batch;
  for (std::size_t family = 0; family < kFamilies; ++family) {
    for (const Change& change : changes[family]) {
      if (change.value) {
        batch.Put(families[family], change.key, *change.value);
      } else {
        batch.Delete(families[family], change.key);
      }
    }
  }
  for (const AccountChange& account : accounts) {
    if (account.value.empty()) {
      batch.Delete(families[kAccounts], account_key(account.key));
    } else {
      batch.Put(families[kAccounts], account_key(account.key), rocksdb::Slice(account.value));
    }
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const rocksdb::Status status = db->Write(synced, &batch);
  if (!status.ok()) raise(name, status);
}

// One sorted file a column family, taken in together: RocksDB's manifest records them in one
// atomic group (rocksdb wiki, "Creating and Ingesting SST files").
void Store::Database::ingest_files(const Changes& changes,
                                   const std::vector<AccountChange>& accounts) {
  std::vector<rocksdb::IngestExternalFileArg> files;
  // Whatever happens: a full disk must not fill up with the files of failed attempts.
  std::vector<std::string> paths;
  const auto remove = [this](std::vector<std::string>* left) {
    for (const std::string& path : *left) disk->DeleteFile(path);  // gone already, if taken in
  };
  const std::unique_ptr<std::vector<std::string>, decltype(remove)> remover(&paths, remove);
  const auto check = [&](const rocksdb::Status& status) {
    if (!status.ok()) raise(name, status);
  };
  const auto write = [&](Family family, const auto& fill) {
    rocksdb::Options options(rocksdb::DBOptions(), family_options[family]);
    options.env = disk.get();
    const std::string path = fmt::format("{}/{}{}-{}{}", directory, kCommitFilePrefix,
                                         kFamilyNames[family], files_written++, kCommitFileSuffix);
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), options, families[family]);
    paths.push_back(path);
    check(writer.Open(path));
    fill(writer);
    check(writer.Finish());
    rocksdb::IngestExternalFileArg& file = files.emplace_back();
    file.column_family = families[family];
    file.external_files = {path};
    file.options.move_files = true;
    file.options.failed_move_fall_back_to_copy = true;
    file.options.write_global_seqno = false;
    file.options.snapshot_consistency = true;
  };
  for (std::size_t family = 0; family < kFamilies; ++family) {
    if (changes[family].empty()) continue;
    write(static_cast<Family>(family), [&](rocksdb::SstFileWriter& writer) {
      for (const Change& change : changes[family]) {
        check(change.value ? writer.Put(change.key, *change.value) : writer.Delete(change.key));
      }
    });
  }
  if (!accounts.empty())
    write(kAccounts, [&](rocksdb::SstFileWriter& writer) {
      for (const AccountChange& account : accounts) {
        const std::string key = account_key(account.key);
        check(account.value.empty() ? writer.Delete(key)
                                    : writer.Put(key, rocksdb::Slice(account.value)));
      }
    });
  check(db->IngestExternalFiles(files));
}

}  // namespace geotally::store
