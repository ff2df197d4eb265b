// What can still be read of a store that is not to be trusted. The store itself is never written
// to: it is opened through links in a directory of our own. Inside lib/store only.
//
// Where the manifest can be used, RocksDB says which version of a record is the latest, and files
// are read one by one only between keys that it cannot read. Where it cannot be used, every sorted
// file is read, and so are the logs: then a record comes with all its versions, in no order. Who
// reads it can tell them apart, because what is counted only grows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/sst_file_reader.h>

#include "store/database.h"

namespace geotally::store {

/// An iterator that goes on behind blocks that cannot be read. Keys are of one length, at most
/// eight bytes, and count as numbers.
class Scan {
 public:
  using Make = std::function<rocksdb::Iterator*()>;
  Scan(Make make, std::size_t key_bytes);

  /// To the first readable row at or behind `number`.
  void seek(std::uint64_t number);
  void next();
  [[nodiscard]] bool valid() const { return rows_->Valid(); }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] std::string_view key() const { return rows_->key().ToStringView(); }
  [[nodiscard]] std::string_view value() const { return rows_->value().ToStringView(); }

  /// What the last seek() or next() could not read, first and last number.
  struct Hole {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };
  [[nodiscard]] const std::optional<Hole>& hole() const { return hole_; }

 private:
  [[nodiscard]] bool try_seek(std::uint64_t number);
  void read_number();

  Make make_;
  std::unique_ptr<rocksdb::Iterator> rows_;
  std::size_t key_bytes_;
  std::uint64_t last_number_;
  std::uint64_t number_ = 0;
  std::optional<Hole> hole_;
};

/// A RocksDB with the families of a store, and nothing said of what is in it.
struct OpenDatabase {
  /// With `mode`, made where there is none; without, read only. Null when it cannot be opened.
  static std::unique_ptr<OpenDatabase> open(const std::string& directory,
                                            std::optional<rocksdb::WALRecoveryMode> mode);
  OpenDatabase() = default;
  ~OpenDatabase();
  OpenDatabase(const OpenDatabase&) = delete;
  OpenDatabase& operator=(const OpenDatabase&) = delete;

  std::unique_ptr<rocksdb::Env> disk = make_disk(nullptr, nullptr);
  std::unique_ptr<rocksdb::DB> db;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilies> families{};  ///< by Family; null = none
};

/// Not thread-safe.
class Salvage {
 public:
  /// `scratch` is made, and left to the caller. Throws CannotCreate or IoError when that fails.
  Salvage(const std::string& data_dir, const std::string& scratch);
  ~Salvage();
  Salvage(const Salvage&) = delete;
  Salvage& operator=(const Salvage&) = delete;

  /// The manifest can be used, and logs and files are those that it names.
  [[nodiscard]] bool opened() const { return store_ != nullptr; }

  /// All versions of a record of family `default`.
  [[nodiscard]] std::vector<std::string> get(std::string_view key);
  /// All keys of family `default` that can be read, each once.
  [[nodiscard]] std::set<std::string> keys();
  /// What the logs alone say of a record of it.
  [[nodiscard]] std::optional<std::string> logged(std::string_view key);

  struct Record {
    std::string_view key;
    std::vector<std::string> versions;  ///< at least one
    bool latest = false;                ///< the one version is the latest: RocksDB says so
  };
  /// Every record of a family but `default` and `due`, in key order. A store may lack a family.
  void for_each(Family family, const std::function<void(const Record&)>& visit);

  /// Versions of records in blocks that cannot be read, of the files that get() or
  /// for_each(family) had to read one by one.
  [[nodiscard]] std::uint64_t unreadable(Family family) const;
  /// Sorted files of which nothing can be read, whoever's they were.
  [[nodiscard]] std::uint64_t files_lost() const { return files_lost_; }
  /// A log does not read to its end.
  [[nodiscard]] bool log_broken() const { return log_broken_; }

 private:
  struct File {
    Family family{};
    rocksdb::SstFileReader reader{rocksdb::Options()};
  };

  void make_view(const std::string& data_dir, const std::string& view);
  void open_files();
  void replay_logs();
  void between(Family family, std::uint64_t first, std::uint64_t last,
               const std::function<void(const Record&)>& visit);

  const std::string view_;
  const std::string scratch_;
  std::unique_ptr<OpenDatabase> store_;  // null: only files and logs can be read
  bool files_open_ = false;
  std::vector<std::unique_ptr<File>> files_;
  std::uint64_t files_lost_ = 0;
  bool log_broken_ = false;
  std::array<bool, kFamilies> in_pieces_{};  // some of it was read file by file
  std::unique_ptr<OpenDatabase> logs_;  // of nothing but what the logs hold; null: there are none
};

}  // namespace geotally::store
