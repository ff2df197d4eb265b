// A small network of accounts that posts, moves, leaves and returns by a fixed rule, and the
// commits that come of it. The same seed gives the same commits, whatever was made durable.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "store/store.h"
#include "tally/changes.h"
#include "tally/fence.h"
#include "tally/tally.h"
#include "tally/totals.h"

namespace geotally::store {

/// A directory of its own that goes with its owner.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// From this many changed accounts on, the store takes a commit in as sorted files.
inline constexpr std::size_t kManyAccounts = 2'000;

class World {
 public:
  explicit World(std::uint64_t seed = 1, std::int64_t start_s = 1'750'000'000);

  /// Lets `accounts` of them do something, `seconds` after the commit before, and gives the
  /// commit that makes it durable. Views hold until the next call.
  const Commit& step(std::size_t accounts, std::int64_t seconds = 7);
  /// What a successful commit is followed by.
  void committed() { totals_.clear_touched(); }
  /// step(), commit() and committed().
  void commit_to(Store& store, std::size_t accounts, std::int64_t seconds = 7);

  /// Goes on as rule() says until the commit of this number, without a store.
  void replay(std::uint64_t number);
  /// How many accounts the commit of this number has: by turns a few and many.
  static std::size_t rule(std::uint64_t number);

  /// From now on every commit moves the base of the counters as well.
  void move_base() { moves_base_ = true; }
  [[nodiscard]] const CounterBase& base() const { return base_; }

  /// Every account's bytes after the last step, by key.
  [[nodiscard]] const std::map<tally::AccountKey, std::string>& accounts() const { return bytes_; }
  [[nodiscard]] const tally::Totals& totals() const { return totals_; }
  [[nodiscard]] const CommitRecord& record() const { return commit_.record; }
  [[nodiscard]] Commit& commit() { return commit_; }

 private:
  struct Account {
    tally::AccountState state;
    geo::EvidenceState evidence;
  };
  void act(tally::AccountKey key, Account& account, tally::Changes& changes);

  std::mt19937_64 random_;
  std::int64_t now_s_;
  std::uint64_t revision_ = 1;
  std::map<tally::AccountKey, Account> state_;
  std::map<tally::AccountKey, std::string> bytes_;
  tally::AccountPools pools_;
  tally::Totals totals_;
  Commit commit_;
  CounterBase base_;
  bool moves_base_ = false;
};

/// A copy of a store's directory, of which no other handle knows.
void copy_directory(const std::string& from, const std::string& to);

/// The accounts of `world` after its last step, decoded.
[[nodiscard]] std::map<tally::AccountKey, AccountRecord> accounts_of(const World& world);

/// Whether accounts are compared in all that is stored of them, or in what format 1 stored.
enum class Compared : std::uint8_t { kWhole, kAsFormat1 };

/// Everything that the store says equals what `world` says: commit, accounts, cells.
void expect_equal(const Store& store, const World& world, Compared compared = Compared::kWhole);

}  // namespace geotally::store
