// Goal: verify() finds a cell of any kind that is off by one, and nothing where all is well.
// Method: a store of a small world; one difference is committed on top of it.
#include "store/verify.h"

#include <functional>

#include <gtest/gtest.h>

#include "world.h"

namespace geotally::store {
namespace {

using tally::Changes;
using tally::RowKind;

struct Plant {
  const char* name;
  const char* found;  // part of the line that says so
  std::function<void(Changes&, tally::RowId, Country)> plant;
  RowKind kind = RowKind::kDay;
};

const std::vector<Plant>& plants() {
  static const auto accounts = [](Changes& changes, tally::RowId id, Country country) {
    changes.cell(id.kind, id.bucket, country)->accounts += 1;
  };
  static const auto posts = [](Changes& changes, tally::RowId id, Country country) {
    changes.cell(id.kind, id.bucket, country)->posts += 1;
  };
  static const std::vector<Plant> all = {
      {"second_accounts", "accounts in second", accounts, RowKind::kSecond},
      {"minute_accounts", "accounts in minute", accounts, RowKind::kMinute},
      {"hour_accounts", "accounts in hour", accounts, RowKind::kHour},
      {"lapse_accounts", "accounts in lapse", accounts, RowKind::kLapse},
      {"second_posts", "posts in minute", posts, RowKind::kSecond},
      {"minute_posts", "posts in minute", posts, RowKind::kMinute},
      {"hour_posts", "posts in hour", posts, RowKind::kHour},
      {"day_posts", "posts ever", posts, RowKind::kDay},
      {"day_deleted", "deletions ever",
       [](Changes& changes, tally::RowId id, Country country) {
         changes.cell(id.kind, id.bucket, country)->deleted += 1;
       }},
      {"day_new", "new accounts of day",
       [](Changes& changes, tally::RowId id, Country country) {
         changes.cell(id.kind, id.bucket, country)->accounts -= 1;
       }},
      {"posts", "posts ever",
       [](Changes& c, tally::RowId, Country country) { c.country(country).posts += 1; }},
      {"deletions", "deletions ever",
       [](Changes& c, tally::RowId, Country country) { c.country(country).posts_deleted += 1; }},
      {"accounts", "accounts of",
       [](Changes& c, tally::RowId, Country country) { c.country(country).accounts += 1; }},
      {"never", "never posted",
       [](Changes& c, tally::RowId, Country country) { c.country(country).never += 1; }},
      {"once", "posted on one day",
       [](Changes& c, tally::RowId, Country country) { c.country(country).once += 1; }},
      {"confidence", "certainty",
       [](Changes& c, tally::RowId, Country country) { c.country(country).confidence += 1; }},
      {"automated", "automated accounts",
       [](Changes& c, tally::RowId, Country country) { c.country(country).automated += 1; }},
      {"bridged", "bridged accounts",
       [](Changes& c, tally::RowId, Country country) { c.country(country).bridged += 1; }},
      {"city", "accounts of city",
       [](Changes& c, tally::RowId, Country) { c.city(2'996'944).accounts += 1; }},
      {"evidence", "accounts by",
       [](Changes& c, tally::RowId, Country country) { c.country(country).evidence[6] += 1; }},
  };
  return all;
}

class Verify : public testing::TestWithParam<std::size_t> {
 protected:
  Verify() {
    Options options;
    options.directory = directory_.path();
    store_ = Store::open(options);
    // Days of posts on which some become engaged, then a stretch in every tier.
    for (int i = 0; i < 24; ++i) world_.commit_to(*store_, 1'500, tally::kDaySeconds / 2);
    for (int i = 0; i < 60; ++i) world_.commit_to(*store_, 30);
  }
  void commit(const tally::Totals* totals, std::vector<AccountChange> accounts = {}) {
    Commit commit;
    commit.record = world_.record();
    ++commit.record.number;
    commit.totals = totals;
    commit.accounts = std::move(accounts);
    store_->commit(commit);
  }
  static std::string lines(const Verification& verification) {
    std::string all;
    for (const std::string& line : verification.differences) all += line + "\n";
    return all;
  }

  TempDir directory_;
  std::unique_ptr<Store> store_;
  World world_;
};

TEST_P(Verify, FindsAPlantedDifference) {
  const Plant& plant = plants()[GetParam()];
  const Verification sound = verify(*store_);
  ASSERT_EQ(sound.differing, 0U);
  EXPECT_TRUE(summary(sound).ends_with(" 0 differ"));
  tally::Totals totals;
  store_->load(totals);
  // The latest row of its kind that has France in it.
  const Country france = *Country::parse("FR");
  tally::RowId id{plant.kind, 0};
  for (const auto& [row_id, row] : totals.rows()) {
    if (row_id.kind == plant.kind && row->accounts[france.index()] != 0) id = row_id;
  }
  ASSERT_NE(id.bucket, 0);
  Changes changes;
  changes.set_watermark(world_.record().watermark_us / tally::kMicrosPerSecond);
  plant.plant(changes, id, france);
  totals.apply(changes);
  commit(&totals);

  const Verification verification = verify(*store_);
  EXPECT_GE(verification.differing, 1U);
  EXPECT_NE(lines(verification).find(plant.found), std::string::npos) << lines(verification);
  EXPECT_NE(summary(verification).find("`geotally restore`"), std::string::npos);
  EXPECT_NE(summary(verification).find("`geotally rebuild`"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Every, Verify, testing::Range(std::size_t{0}, plants().size()),
                         [](const auto& param) { return plants()[param.param].name; });

using VerifyAccounts = Verify;

TEST_F(VerifyAccounts, FindsAnAccountThatChangedAlone) {
  const auto& [key, bytes] = *world_.accounts().begin();
  AccountRecord record;
  ASSERT_TRUE(decode_account(bytes, record));
  record.state.flags ^= tally::AccountState::kGone;
  std::string changed;
  encode_account(record, changed);
  commit(nullptr, {{key, changed}});
  EXPECT_GT(verify(*store_).differing, 0U);
  commit(nullptr, {{key, bytes}});
  EXPECT_EQ(verify(*store_).differing, 0U);
}

TEST_F(VerifyAccounts, FindsAnAccountThatIsMissing) {
  for (const auto& [key, bytes] : world_.accounts()) {
    AccountRecord record;
    ASSERT_TRUE(decode_account(bytes, record));
    if (!tally::standing_of(record.state).counted) continue;
    commit(nullptr, {{key, {}}});
    break;
  }
  EXPECT_GT(verify(*store_).differing, 0U);
}

// Counters for Prometheus are shown less the base: below it they would wrap around.
TEST_F(VerifyAccounts, FindsABaseThatIsAboveWhatWasCounted) {
  tally::Totals totals;
  store_->load(totals);
  const Country france = *Country::parse("FR");
  CounterBase base;
  for (const std::uint64_t more : {0U, 1U}) {
    base.posts[france.index()] = totals.country(france).posts + more;
    Commit commit;
    commit.record = world_.record();
    commit.base = &base;
    store_->commit(commit);
    EXPECT_EQ(verify(*store_).differing, more);
  }
  EXPECT_NE(lines(verify(*store_)).find("base of the counters"), std::string::npos);
}

}  // namespace
}  // namespace geotally::store
