// Goal: a rebuilt store is the commit that was damaged, or differs from it within a recorded gap;
// it agrees with its accounts, and the damaged one stays as it is.
// Method: a small world's store, with every file flipped, cut and lost, and with rows that lie.
#include "store/rebuild.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "files.h"
#include "store/verify.h"
#include "world.h"

namespace geotally::store {
namespace {

namespace fs = std::filesystem;
using tally::RowKind;

std::unique_ptr<Store> open(const std::string& directory) {
  Options options;
  options.directory = directory;
  return Store::open(options);
}

std::uint64_t posts_of(const tally::Totals& totals) {
  std::uint64_t posts = 0;
  for (std::size_t i = 0; i < Country::count(); ++i) {
    posts += totals.country(Country::from_index(i)).posts;
  }
  return posts;
}

class Rebuild : public testing::Test {
 protected:
  Rebuild() {
    const auto store = open(directory_);
    seed_ = store->seed();
    while (world_.record().number < 12) {
      world_.commit_to(*store, World::rule(world_.record().number + 1));
    }
  }
  void fresh() {
    copy_directory(directory_, copy_);
    fs::remove_all(into_);
  }
  Rebuilt rebuild_copy() {
    RebuildOptions options;
    options.data_dir = copy_;
    options.into = into_;
    options.now_us = world_.record().committed_at_us + 5;
    options.position = [](const std::string& cursor, std::int64_t) {
      return cursor.empty() ? "at the watermark" : cursor;
    };
    const auto before = contents(copy_, true);
    Rebuilt rebuilt = rebuild(options);
    EXPECT_EQ(contents(copy_, true), before) << "the damaged store was written to";
    return rebuilt;
  }
  // What was not lost is there, and what was is in a gap.
  void expect_whole_or_gap(const Rebuilt& rebuilt, const std::string& what) {
    const auto store = open(into_);
    EXPECT_EQ(store->seed(), seed_) << what;
    EXPECT_EQ(store->gaps(0), rebuilt.gaps) << what;
    EXPECT_EQ(verify(*store).differing, 0U) << what;
    tally::Totals totals;
    store->load(totals);
    EXPECT_EQ(store->base().posts[0], totals.country(kUnknownCountry).posts) << what;
    EXPECT_EQ(store->base().gaps, 0U) << what;
    if (rebuilt.gaps.empty()) {
      World at;
      at.replay(rebuilt.record.number);
      expect_equal(*store, at);
      EXPECT_EQ(store->base().floor, 0U) << what;
      return;
    }
    EXPECT_LE(rebuilt.gaps.back().to_us, store->last_commit().watermark_us + 1'000'000) << what;
    EXPECT_LE(posts_of(totals), posts_of(world_.totals())) << what;
    store->for_each_account([&](tally::AccountKey key, const AccountRecord&) {
      EXPECT_TRUE(world_.accounts().contains(key)) << what;
    });
  }
  // Everything is as it was, and nothing is said to be lost.
  void expect_nothing_lost(const std::string& what) {
    const Rebuilt rebuilt = rebuild_copy();
    EXPECT_TRUE(rebuilt.gaps.empty()) << what;
    EXPECT_EQ(rebuilt.record.number, world_.record().number) << what;
    expect_whole_or_gap(rebuilt, what);
  }
  void change(const std::function<void(rocksdb::DB&, rocksdb::ColumnFamilyHandle*)>& change,
              const char* family) {
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, copy_, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) {
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, copy_, families, &handles, &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    for (std::size_t i = 0; i < handles.size(); ++i) {
      if (families[i].name == family) change(*db, handles[i]);
    }
    for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
  }

  TempDir temp_;
  const std::string directory_ = temp_.path() + "/store";
  const std::string copy_ = temp_.path() + "/copy";
  const std::string into_ = temp_.path() + "/into";
  std::uint64_t seed_ = 0;
  World world_;
};

TEST_F(Rebuild, OfASoundStoreIsTheSame) {
  fresh();
  expect_nothing_lost("sound");
  const auto store = open(into_);
  world_.commit_to(*store, 40);
  expect_equal(*store, world_);
}

TEST_F(Rebuild, WithoutCurrentOrOptionsNothingIsLost) {
  fresh();
  fs::remove(copy_ + "/CURRENT");
  expect_nothing_lost("CURRENT lost");
  fresh();
  write(copy_ + "/CURRENT", "MANIFEST-999999\n");
  expect_nothing_lost("CURRENT names another");
  fresh();
  for (const fs::path& file : files(copy_, "OPTIONS-")) write(file, "garbage");
  expect_nothing_lost("OPTIONS");
}

TEST_F(Rebuild, WithoutAManifestTheFilesSayIt) {
  for (const std::string damage : {"lost", "cut", "flipped"}) {
    fresh();
    for (const fs::path& file : files(copy_, "MANIFEST-")) {
      std::string bytes = read(file);
      if (damage == "lost") fs::remove(file);
      if (damage == "cut") write(file, bytes.substr(0, bytes.size() / 2));
      if (damage == "flipped") {
        bytes[bytes.size() / 3] = static_cast<char>(bytes[bytes.size() / 3] ^ 0x10);
        write(file, bytes);
      }
    }
    expect_whole_or_gap(rebuild_copy(), "MANIFEST " + damage);
  }
  fresh();
  fs::remove(files(copy_, "MANIFEST-").back());
  expect_nothing_lost("MANIFEST lost");
}

// Whatever of a sorted file cannot be read; without the seed there is nothing to go on from.
TEST_F(Rebuild, AnySortedFileFlippedCutOrLost) {
  std::size_t refused = 0;
  std::size_t gaps = 0;
  // Every third, which are of all families: each commit that came as files left one of each.
  std::vector<std::string> names;
  const std::vector<fs::path> all = files(directory_, ".sst");
  for (std::size_t i = 0; i < all.size(); i += 3) names.push_back(all[i].filename());
  const auto damaged = [&](const std::string& what) {
    try {
      const Rebuilt rebuilt = rebuild_copy();
      gaps += rebuilt.gaps.empty() ? 0 : 1;
      expect_whole_or_gap(rebuilt, what);
    } catch (const Refused&) {
      ++refused;
    }
  };
  for (const std::string& name : names) {
    const std::string bytes = read(directory_ + "/" + name);
    for (const std::size_t part : {0, 3}) {
      fresh();
      std::string flipped = bytes;
      char& c = flipped[bytes.size() * part / 4 + bytes.size() / 8];
      c = static_cast<char>(c ^ 0x10);
      write(copy_ + "/" + name, flipped);
      damaged(name + " flipped in part " + std::to_string(part));
    }
    fresh();
    fs::remove(copy_ + "/" + name);
    damaged(name + " lost");
  }
  // Most of what the older files hold was written again by later commits.
  EXPECT_GT(gaps, 0U);
  EXPECT_LT(refused, names.size()) << "what could be read was refused";
}

TEST_F(Rebuild, AnAccountsBlockCostsItsAccountsOnly) {
  fresh();
  const std::vector<fs::path> all = files(copy_, ".sst");
  const auto smaller = [](const fs::path& a, const fs::path& b) {
    return fs::file_size(a) < fs::file_size(b);
  };
  const fs::path largest = *std::max_element(all.begin(), all.end(), smaller);  // one of accounts
  std::string bytes = read(largest);
  bytes[20'000] = static_cast<char>(bytes[20'000] ^ 1);
  write(largest, bytes);
  const Rebuilt rebuilt = rebuild_copy();
  expect_whole_or_gap(rebuilt, "a block of accounts");
  ASSERT_EQ(rebuilt.gaps.size(), 1U);
  EXPECT_EQ(rebuilt.gaps[0].from_us, world_.record().observed_since_us);
  EXPECT_EQ(rebuilt.gaps[0].cause, kRebuiltCause);
  EXPECT_FALSE(rebuilt.manifest_lost);
  const auto& accounts = rebuilt.families[1];
  EXPECT_GT(accounts.unreadable, 10U);
  EXPECT_LT(accounts.unreadable, 400U);
  EXPECT_GE(accounts.kept + accounts.unreadable, world_.accounts().size());

  const auto store = open(into_);
  tally::Totals totals;
  store->load(totals);
  EXPECT_EQ(posts_of(totals), posts_of(world_.totals())) << "posts are in other families";
  // What is replayed of accounts that are lost, or older than they were, does not count again.
  EXPECT_EQ(store->base().floor >> 10, static_cast<std::uint64_t>(world_.record().watermark_us));
  std::size_t same = 0;
  store->for_each_account([&](tally::AccountKey key, const AccountRecord& record) {
    std::string encoded;
    encode_account(record, encoded);
    if (encoded == world_.accounts().at(key)) {
      ++same;
    } else {
      EXPECT_GE(record.state.fence.floor, store->base().floor);
    }
  });
  // Between the keys of the block, other files have accounts too, which may be older versions.
  EXPECT_GE(same + 5 * accounts.unreadable, world_.accounts().size());
}

TEST_F(Rebuild, ALogCutAnywhereIsAnEarlierCommit) {
  {
    const auto store = open(directory_);
    while (world_.record().number < 16) {  // the last three go through the log
      world_.commit_to(*store, World::rule(world_.record().number + 1));
    }
  }
  const std::string name = files(directory_, ".log").back().filename();
  const std::string bytes = read(directory_ + "/" + name);
  ASSERT_GT(bytes.size(), 100U);
  for (std::size_t size = 0; size < bytes.size(); size += bytes.size() / 4 + 1) {
    fresh();
    write(copy_ + "/" + name, bytes.substr(0, size));
    expect_whole_or_gap(rebuild_copy(), "cut to " + std::to_string(size));
    fresh();
    std::string flipped = bytes;
    flipped[size] = static_cast<char>(flipped[size] ^ 1);
    write(copy_ + "/" + name, flipped);
    expect_whole_or_gap(rebuild_copy(), "flipped at " + std::to_string(size));
    fresh();
    fs::remove(files(copy_, "MANIFEST-").back());
    write(copy_ + "/" + name, flipped);
    expect_whole_or_gap(rebuild_copy(), "no manifest, flipped at " + std::to_string(size));
  }
}

// The cursor of a commit must not outlive what it counted: the last commit, of nothing but its
// record, reads well behind one that does not.
TEST_F(Rebuild, WhatFollowsABreakInTheLogIsNotTaken) {
  std::uintmax_t begin = 0;
  std::uintmax_t end = 0;
  {
    const auto store = open(directory_);
    const auto size = [this] { return fs::file_size(files(directory_, ".log").back()); };
    world_.commit_to(*store, 20);
    begin = size();
    world_.commit_to(*store, 40);
    end = size();
    world_.commit_to(*store, 0);
  }
  const std::string name = files(directory_, ".log").back().filename();
  std::string bytes = read(directory_ + "/" + name);
  ASSERT_LT(end, bytes.size());
  bytes[(begin + end) / 2] = static_cast<char>(bytes[(begin + end) / 2] ^ 1);
  fresh();
  write(copy_ + "/" + name, bytes);
  const Rebuilt rebuilt = rebuild_copy();
  EXPECT_TRUE(rebuilt.log_broken);
  EXPECT_TRUE(rebuilt.gaps.empty());
  EXPECT_EQ(rebuilt.record.number, world_.record().number - 2);
  const auto store = open(into_);
  EXPECT_EQ(store->last_commit().number, world_.record().number - 2);
  World at;
  at.replay(rebuilt.record.number - 1);
  at.step(20);
  at.committed();
  expect_equal(*store, at);
}

// Cells that say something else than the accounts: counted again, and the bucket is a gap.
TEST_F(Rebuild, RowsThatLieAreCountedAgain) {
  const std::int64_t second = world_.record().watermark_us / tally::kMicrosPerSecond;
  for (const RowKind kind : {RowKind::kSecond, RowKind::kMinute, RowKind::kHour}) {
    fresh();
    const tally::RowId id{kind, tally::bucket_of(kind, second)};
    change(
        [&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* cells) {
          std::string bytes;
          ASSERT_TRUE(db.Get({}, cells, row_key(id), &bytes).ok());
          tally::Row row;
          ASSERT_TRUE(decode_row(bytes, kind, row));
          row.accounts[Country::parse("FR")->index()] += 3;
          bytes.clear();
          encode_row(kind, row, bytes);
          ASSERT_TRUE(db.Put({}, cells, row_key(id), bytes).ok());
        },
        "cells");
    const Rebuilt rebuilt = rebuild_copy();
    EXPECT_GE(rebuilt.corrected, 1U);
    ASSERT_EQ(rebuilt.gaps.size(), 1U);
    EXPECT_EQ(rebuilt.gaps[0].from_us,
              std::max(world_.record().observed_since_us,
                       id.bucket * tally::bucket_seconds(kind) * tally::kMicrosPerSecond));
    const auto store = open(into_);
    EXPECT_EQ(verify(*store).differing, 0U);
    tally::Totals totals;
    store->load(totals);
    EXPECT_EQ(totals.row(id)->accounts, world_.totals().row(id)->accounts);
    EXPECT_EQ(posts_of(totals), posts_of(world_.totals()));
  }
}

// Posts are in four rows and a total: while one of them is readable, none is lost.
TEST_F(Rebuild, RowsOfPostsAreFilledUpFromTheOthers) {
  for (const RowKind kind : {RowKind::kSecond, RowKind::kMinute, RowKind::kHour, RowKind::kDay}) {
    fresh();
    change(
        [&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* cells) {
          const std::unique_ptr<rocksdb::Iterator> rows(db.NewIterator({}, cells));
          for (rows->Seek(std::string(1, static_cast<char>(kind)));
               rows->Valid() && rows->key()[0] == static_cast<char>(kind); rows->Next()) {
            ASSERT_TRUE(db.Delete({}, cells, rows->key()).ok());
          }
        },
        "cells");
    const Rebuilt rebuilt = rebuild_copy();
    EXPECT_FALSE(rebuilt.gaps.empty());
    const auto store = open(into_);
    EXPECT_EQ(verify(*store).differing, 0U);
    tally::Totals totals;
    store->load(totals);
    for (std::size_t i = 0; i < Country::count(); ++i) {
      const Country country = Country::from_index(i);
      EXPECT_EQ(totals.country(country), world_.totals().country(country));
    }
  }
}

TEST_F(Rebuild, ALostCommitRecordLeavesTheWatermark) {
  fresh();
  change(
      [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family) {
        ASSERT_TRUE(db.Put({}, family, "commit", "\xff").ok());
      },
      "default");
  const Rebuilt rebuilt = rebuild_copy();
  EXPECT_EQ(rebuilt.record.cursor, "at the watermark");
  EXPECT_EQ(rebuilt.record.watermark_us, world_.record().watermark_us);
  EXPECT_GT(rebuilt.record.number, 0U);
  EXPECT_EQ(rebuilt.gaps.size(), 1U);
  EXPECT_EQ(verify(*open(into_)).differing, 0U);
}

TEST_F(Rebuild, LostGapsAndDaysAreGaps) {
  // Days pass, so that there are closing rows, and a gap is recorded.
  {
    const auto store = open(directory_);
    world_.commit_to(*store, 40, 3 * tally::kDaySeconds);
    world_.step(40);
    const Gap gap{world_.record().observed_since_us, world_.record().observed_since_us + 7, "x"};
    world_.commit().gaps = {gap};
    world_.commit().record.gaps = 1;
    world_.commit().record.gap_us = 7;
    store->commit(world_.commit());
    world_.committed();
  }
  fresh();
  const Rebuilt kept = rebuild_copy();
  EXPECT_TRUE(kept.gaps.empty());
  EXPECT_EQ(open(into_)->gaps(0).size(), 1U);
  for (const char* family : {"gaps", "days"}) {
    fresh();
    change(
        [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle) {
          const std::unique_ptr<rocksdb::Iterator> rows(db.NewIterator({}, handle));
          rows->SeekToFirst();
          ASSERT_TRUE(rows->Valid());
          ASSERT_TRUE(db.Put({}, handle, rows->key(), "\xff").ok());
        },
        family);
    const Rebuilt rebuilt = rebuild_copy();
    ASSERT_EQ(rebuilt.gaps.size(), 1U) << family;
    EXPECT_EQ(rebuilt.gaps[0].from_us, world_.record().observed_since_us) << family;
    EXPECT_EQ(verify(*open(into_)).differing, 0U) << family;
  }
}

TEST_F(Rebuild, RefusesWhatItCannotGoOnFrom) {
  fresh();
  change(
      [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family) {
        ASSERT_TRUE(db.Put({}, family, "format", number_key(kFormat + 1)).ok());
      },
      "default");
  EXPECT_THROW(rebuild_copy(), Refused);
  fresh();
  change(
      [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family) {
        ASSERT_TRUE(db.Delete({}, family, "seed").ok());
      },
      "default");
  EXPECT_THROW(rebuild_copy(), Refused);
  // A directory that holds something; one that is nowhere; an interrupted attempt is begun again.
  fresh();
  fs::create_directory(into_);
  write(into_ + "/thesis.tex", "years of work");
  EXPECT_THROW(rebuild_copy(), Refused);
  EXPECT_EQ(files(into_, "").size(), 1U);
  fs::remove_all(into_);
  fs::create_directories(into_ + "/incoming.tmp");
  fs::create_directories(into_ + "/incoming.scratch/view");
  expect_nothing_lost("begun again");
  EXPECT_TRUE(files(into_, "incoming").empty());
  fs::remove_all(copy_);
  RebuildOptions nowhere;
  nowhere.data_dir = copy_;
  nowhere.into = temp_.path() + "/another";
  EXPECT_THROW(static_cast<void>(rebuild(nowhere)), CannotCreate);
  EXPECT_FALSE(fs::exists(nowhere.into));
}

}  // namespace
}  // namespace geotally::store
