#include "world.h"

#include <array>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "format1.h"
#include "store/verify.h"

namespace geotally::store {
namespace {

constexpr std::int64_t kFenceHorizon_s = 60;
constexpr std::uint32_t kMethod = 300;

Country country(std::string_view code) { return *Country::parse(code); }

}  // namespace

TempDir::TempDir() {
  std::string pattern = std::filesystem::temp_directory_path() / "geotally-store-XXXXXX";
  path_ = ::mkdtemp(pattern.data());
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

World::World(std::uint64_t seed, std::int64_t start_s) : random_(seed), now_s_(start_s) {
  commit_.record.observed_since_us = start_s * tally::kMicrosPerSecond;
  commit_.record.next_day_to_close = start_s / tally::kDaySeconds;
}

void World::act(tally::AccountKey key, Account& account, tally::Changes& changes) {
  static const std::array<Country, 5> kCountries = {kUnknownCountry, country("FR"), country("DE"),
                                                    country("JP"), country("BR")};
  const std::uint64_t dice = random_();
  tally::Sample sample;
  sample.account = key;
  sample.time_us = now_s_ * tally::kMicrosPerSecond;
  sample.revision = ++revision_;
  sample.discriminator = random_();
  sample.upstream_time_us = sample.time_us;
  sample.upstream_sequence = static_cast<std::uint32_t>(revision_);
  sample.record_key = sample.revision;  // posts: the key
  sample.kind = dice % 16 == 0   ? EventKind::kPostDelete
                : dice % 16 == 1 ? EventKind::kAccount
                : dice % 16 == 2 ? EventKind::kProfile
                                 : EventKind::kPost;
  sample.status = dice % 64 == 1    ? AccountStatus::kDeleted
                  : dice % 64 == 17 ? AccountStatus::kGone
                                    : AccountStatus::kActive;
  if (!tally::admit(account.state, pools_, sample, {}).counted) std::abort();
  tally::Placement placement{account.state.country, account.state.evidence,
                             account.state.confidence, account.state.city};
  if (dice % 7 == 0) {
    placement.country = kCountries[(dice >> 8) % kCountries.size()];
    placement.evidence = placement.country.known() ? EvidenceKind::kLanguage : EvidenceKind::kNone;
    placement.confidence = static_cast<std::uint8_t>(dice >> 16);
    placement.city =
        placement.country.known() ? static_cast<std::uint32_t>((dice >> 32) % 5'000'000) : 0;
    account.evidence.bytes[dice % account.evidence.bytes.size()] =
        static_cast<std::uint8_t>(dice >> 24);
  }
  tally::count(account.state, sample, placement, {}, changes);
  pools_.fences.age(account.state.fence, static_cast<std::uint32_t>(now_s_ - kFenceHorizon_s));
}

const Commit& World::step(std::size_t accounts, std::int64_t seconds) {
  now_s_ += seconds;
  tally::Changes changes;
  changes.set_watermark(commit_.record.watermark_us / tally::kMicrosPerSecond);
  std::map<tally::AccountKey, bool> changed;
  while (changed.size() < accounts) {
    // A small range of numbers, spread over all keys, so that accounts come again.
    const tally::AccountKey key = (random_() % (3 * kManyAccounts) + 1) * 0x9E3779B97F4A7C15;
    act(key, state_[key], changes);
    changed[key] = true;
  }

  commit_.accounts.clear();
  for (const auto& [key, ignored] : changed) {
    const Account& account = state_[key];
    AccountRecord record;
    record.state = account.state;
    record.details = pools_.details.of(account.state);
    record.evidence = account.evidence;
    pools_.fences.copy(account.state.fence, record.fence);
    std::string& bytes = bytes_[key];
    bytes.clear();
    encode_account(record, bytes);
    commit_.accounts.push_back({key, bytes});
  }
  totals_.apply(changes);
  commit_.days.clear();
  const std::int64_t day = now_s_ / tally::kDaySeconds;
  for (std::int64_t& next = commit_.record.next_day_to_close; next < day; ++next) {
    commit_.days.push_back({next, totals_.close_day(next), {}});
  }
  totals_.expire(now_s_);
  commit_.totals = &totals_;
  CommitRecord& record = commit_.record;
  ++record.number;
  record.watermark_us = now_s_ * tally::kMicrosPerSecond;
  record.edge_us = record.watermark_us;
  record.ingested_until_us = record.watermark_us;
  record.committed_at_us = record.watermark_us + 1;
  record.cursor = "cursor of " + std::to_string(record.number);
  record.network = Network::kBluesky;
  record.method = kMethod;
  record.archive.host = "archive.example";
  record.archive.sequence = 1'000 * record.number;
  record.archive.bootstrap_end = 77;
  record.archive.pass = ArchivePosition::Pass::kAtWork;
  record.archive.pass_reached = record.number << 32;
  if (moves_base_) {
    // By what every commit moves, and never beyond it.
    for (std::size_t i = 0; i < Country::count(); ++i) {
      base_.posts[i] = totals_.country(Country::from_index(i)).posts / 2;
    }
    commit_.base = &base_;
  }
  commit_.gaps.clear();
  commit_.due.clear();
  commit_.due_done.clear();
  return commit_;
}

void World::commit_to(Store& store, std::size_t accounts, std::int64_t seconds) {
  store.commit(step(accounts, seconds));
  committed();
}

std::size_t World::rule(std::uint64_t number) {
  return number % 5 == 3 || number % 7 >= 5 ? kManyAccounts : 40;
}

void World::replay(std::uint64_t number) {
  while (commit_.record.number < number) {
    step(rule(commit_.record.number + 1));
    committed();
  }
}

void copy_directory(const std::string& from, const std::string& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

std::map<tally::AccountKey, AccountRecord> accounts_of(const World& world) {
  std::map<tally::AccountKey, AccountRecord> accounts;
  for (const auto& [key, bytes] : world.accounts()) {
    EXPECT_TRUE(decode_account(bytes, accounts[key]));
  }
  return accounts;
}

namespace {

// What format 1 had of an account. It did not tell one that was erased from one of which deletions
// alone were seen.
void encode_format_1(AccountRecord record, std::string& out) {
  constexpr std::uint8_t kErased = tally::AccountState::kDeleted;
  if (record.state.posts == 0 && (record.state.flags & 15) == kErased) record.state.flags = 0;
  format1::encode_account(record, out);
}

void encode_whole(AccountRecord record, std::string& out) { encode_account(record, out); }

}  // namespace

void expect_equal(const Store& store, const World& world, Compared compared) {
  const CommitRecord& have = store.last_commit();
  const CommitRecord& want = world.record();
  ASSERT_EQ(have.number, want.number);
  EXPECT_EQ(have.cursor, want.cursor);
  EXPECT_EQ(have.watermark_us, want.watermark_us);
  EXPECT_EQ(have.next_day_to_close, want.next_day_to_close);
  EXPECT_EQ(have.gaps, want.gaps);
  if (store.format() != kFormatOldest) {
    EXPECT_EQ(have.network, want.network);
    EXPECT_EQ(have.method, want.method);
    EXPECT_EQ(have.archive, want.archive);
  }

  const auto encode = compared == Compared::kWhole ? encode_whole : encode_format_1;
  std::map<tally::AccountKey, std::string> accounts;
  store.for_each_account([&](tally::AccountKey key, const AccountRecord& record) {
    encode(record, accounts[key]);
  });
  std::map<tally::AccountKey, std::string> wanted = world.accounts();
  if (compared == Compared::kAsFormat1) {
    for (const auto& [key, record] : accounts_of(world)) {
      wanted[key].clear();
      encode(record, wanted[key]);
    }
  }
  EXPECT_EQ(accounts.size(), wanted.size());
  EXPECT_TRUE(accounts == wanted) << "accounts are not those of the commit";

  tally::Totals totals;
  store.load(totals);
  for (std::size_t i = 0; i < Country::count(); ++i) {
    EXPECT_EQ(totals.country(Country::from_index(i)),
              world.totals().country(Country::from_index(i)));
  }
  // Days that are over leave the world's memory one commit late.
  std::size_t rows = 0;
  for (const auto& [id, row] : totals.rows()) {
    const tally::Row* expected = world.totals().row(id);
    ASSERT_NE(expected, nullptr) << "row " << static_cast<int>(id.kind) << " " << id.bucket;
    EXPECT_EQ(row->posts, expected->posts);
    EXPECT_EQ(row->accounts, expected->accounts);
    EXPECT_EQ(row->deleted, expected->deleted);
    if (id.kind != tally::RowKind::kDay) ++rows;
  }
  for (const auto& [id, row] : world.totals().rows()) {
    if (id.kind != tally::RowKind::kDay) --rows;
  }
  EXPECT_EQ(rows, 0U) << "as many rows as there should be";

  const Verification verification = verify(store);
  EXPECT_EQ(verification.differing, 0U)
      << (verification.differences.empty() ? "" : verification.differences.front());
  EXPECT_EQ(verification.accounts, world.accounts().size());
}

}  // namespace geotally::store
