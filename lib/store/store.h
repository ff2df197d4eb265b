// The durable state: one RocksDB in one data directory, and one atomic, synced
// write a commit. proto/store.md has the bytes.
//
// Column families: default (format, seed, the commit record, country totals),
// accounts, cells (rows by kind and bucket), days (closing rows), gaps, due
// (accounts to be erased, by day), cities; and for stores that sweep an archive
// past (days of posts by account) and history (its rows).
//
// A store of format 1 is read as it is. The first commit makes it one of format 2
// in the same write; what does not change stays as format 1 wrote it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "event/gap.h"
#include "store/account_loader.h"
#include "store/account_scan.h"
#include "store/codec.h"
#include "store/disk_watch.h"
#include "store/errors.h"
#include "tally/totals.h"

namespace rocksdb {
class DB;
class Env;
}  // namespace rocksdb

namespace geotally::store {

struct Options {
  std::string directory;
  /// What RocksDB may hold in memory: block cache, index, filters and memtables.
  std::size_t memory_bytes = std::size_t{64} << 20;
  bool create = true;           ///< make a store where there is none
  bool read_only = false;       ///< for verify and the command line; takes no lock, makes nothing
  bool compact = true;          ///< let RocksDB merge files as it sees fit
  rocksdb::Env* env = nullptr;  ///< tests bring faults in here; not owned
  DiskWatch watch = {};         ///< who hears of what RocksDB meets outside of a commit
};

/// One account's new bytes. Views hold during commit() only.
struct AccountChange {
  tally::AccountKey key = 0;
  std::string_view value;  ///< empty = the account is forgotten
};

/// A day on which a gone account must be looked at again, to be erased.
struct Due {
  std::int64_t day = 0;
  tally::AccountKey key = 0;
};

struct DayClosed {
  std::int64_t day = 0;
  std::vector<tally::DayClosing> closing;
  ClosingHead head;
};

/// All that becomes durable together.
struct Commit {
  CommitRecord record;
  std::vector<AccountChange> accounts;    ///< sorted by key, each once
  const tally::Totals* totals = nullptr;  ///< its touched and expired rows are written
  std::vector<DayClosed> days;
  std::vector<Gap> gaps;  ///< new ones
  std::vector<Due> due;
  std::vector<Due> due_done;
  const CounterBase* base = nullptr;  ///< the counters' base from now on; null = as it was
};

/// The files that RocksDB keeps accounts in: by its number, how many records each has. An account
/// may have one in many.
using AccountFiles = std::map<std::uint64_t, std::uint64_t>;

/// When RocksDB merges files of accounts.
enum class Merging : std::uint8_t {
  kSoon,  ///< accounts are read from them one by one
  kLate,  ///< nobody reads them: when there are so many that opening and scanning them suffers
};

/// RocksDB's own state, for metrics. Bytes, but for the flags.
struct Health {
  std::uint64_t sst_bytes = 0;
  std::uint64_t memtable_bytes = 0;
  std::uint64_t block_cache_bytes = 0;
  std::uint64_t compaction_pending_bytes = 0;
  std::uint64_t background_errors = 0;
  bool write_stopped = false;
  std::uint64_t filesystem_avail_bytes = 0;
};

/// Reading is thread-safe; commit() is for one thread. The destructor closes the database.
class Store {
 public:
  /// Opens or creates. Throws Refused, CannotCreate or IoError.
  [[nodiscard]] static std::unique_ptr<Store> open(const Options& options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// The format that the store is of: what it was opened as, until the first commit.
  [[nodiscard]] std::uint32_t format() const { return format_; }
  /// Made at random with the store: the account keys' hash seed.
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  /// The last commit; number 0 = a new store.
  [[nodiscard]] const CommitRecord& last_commit() const { return last_; }

  /// Where counters and fences start; all zero unless the store was restored, rebuilt, or given
  /// posts of the past. The floor never changes while the store is open; the rest does with a
  /// commit, and is for its thread.
  [[nodiscard]] const CounterBase& base() const { return base_; }

  /// Fills `totals` with the cells of the last commit. Throws Refused when they do not decode.
  void load(tally::Totals& totals) const;
  /// Gaps that end after `since_us`, oldest first.
  [[nodiscard]] std::vector<Gap> gaps(std::int64_t since_us) const;
  /// Closing rows of UTC days [from, to], each with the kDay row that belongs to it.
  struct StoredDay {
    std::int64_t day = 0;
    std::vector<tally::DayClosing> closing;
    tally::Row counted;
    ClosingHead head;
  };
  [[nodiscard]] std::vector<StoredDay> days(std::int64_t from, std::int64_t to) const;

  /// What was counted on every UTC day there ever was, oldest first.
  void for_each_day(const std::function<void(std::int64_t day, const tally::Row&)>& visit) const;

  /// Records that are kept though no program of this version reads them: rows of later kinds, keys
  /// of later totals, and the past that an archive told.
  [[nodiscard]] std::uint64_t count_passed_over() const;

  /// Reads one account. False = there is none. Throws IoError, or Refused on corrupt bytes.
  [[nodiscard]] bool read_account(tally::AccountKey key, AccountRecord& record) const;
  /// Reads many in one go, which takes half the time of one by one; the record is null where there
  /// is none. `keys` are in ascending order. Throws as read_account() does.
  void read_accounts(std::span<const tally::AccountKey> keys,
                     const std::function<void(tally::AccountKey, AccountRecord*)>& visit) const;
  /// How many accounts of keys [first, last] there are: exact when few, else from the distance
  /// between some thousand of them, within a few percent. Keys are hashes, hence evenly spread.
  [[nodiscard]] std::uint64_t estimate_accounts(tally::AccountKey first,
                                                tally::AccountKey last) const;
  /// The accounts of keys [first, last].
  [[nodiscard]] std::unique_ptr<AccountScan> scan_accounts(tally::AccountKey first,
                                                           tally::AccountKey last) const;
  /// For reading all of them in no order, as they are now, several times as fast.
  [[nodiscard]] std::unique_ptr<AccountLoader> load_accounts() const;
  /// Every account, in key order.
  void for_each_account(
      const std::function<void(tally::AccountKey, const AccountRecord&)>& visit) const;
  /// At most `limit` accounts of keys [first, last] that are due on or before `day`.
  [[nodiscard]] std::vector<Due> due(std::int64_t day, tally::AccountKey first,
                                     tally::AccountKey last, std::size_t limit) const;

  /// Makes everything in `commit` durable, or nothing. Throws IoError; the same commit may then
  /// be tried again: every value is absolute, so what was half done before does no harm. A disk
  /// with less than 32 MiB free counts as full; nothing was touched then.
  void commit(const Commit& commit);

  /// After an IoError: asks RocksDB to take writes again. False = it does not, yet. Throws
  /// IoError when only opening the store again helps; nothing of the last commit is lost.
  [[nodiscard]] bool resume();

  /// The files that hold accounts now. What is in memory only is in none of them.
  [[nodiscard]] AccountFiles account_files() const;
  /// Drops at most `limit` of `files`, oldest first, when each account in them was committed once
  /// more since they were listed. Between two commits, on their thread. True = call it again; false
  /// = none are left, or RocksDB has merged them with others: then they stay.
  [[nodiscard]] bool drop_account_files(const AccountFiles& files, std::size_t limit);
  /// kLate when opened. On the thread of commit(). False = it could not be set; ask again.
  [[nodiscard]] bool set_merging(Merging merging);

  /// Links the files of the last commit into `checkpoint` in the data directory, a store of its
  /// own. Between two commits, on their thread. Throws IoError or Refused.
  void checkpoint();
  /// Does so if `geotally backup` asks for it. Nothing = nobody asked; empty = done; else why not.
  [[nodiscard]] std::optional<std::string> answer_backup();
  /// What was counted so far becomes the base of the counters. Throws IoError.
  void start_counters_again();

  [[nodiscard]] Health health() const;
  /// For the rest of lib/store.
  [[nodiscard]] rocksdb::DB& database();

 private:
  struct Database;
  explicit Store(std::unique_ptr<Database> database);

  std::unique_ptr<Database> database_;
  std::uint32_t format_ = kFormat;
  std::uint64_t seed_ = 0;
  CommitRecord last_;
  /// Records of format 1 were all written before: what they lack is worked out from it, by any
  /// thread.
  std::int64_t opened_watermark_us_ = 0;
  CounterBase base_;
};

}  // namespace geotally::store
