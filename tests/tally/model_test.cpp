// Goal: whatever comes, in whatever order, the figures are those of the definitions, and the same
// for any number of shards.
// Method: a network of some thousand accounts over five months, with reordering, replays, late
// events, departures, moves, erasures and silences, played to the plain model and to 1, 3 and 8
// shards, which hand over at marks; all figures are compared at many right edges.
#include "model.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <queue>
#include <random>

#include <gtest/gtest.h>

#include "support.h"

namespace geotally::tally {
namespace {

constexpr std::int64_t kHorizon_s = 60;
constexpr std::int64_t kDelayMax_s = 40;
constexpr std::int64_t kStart_s = 20'000 * kDaySeconds + 40'000;
constexpr AccountKey kNewAccount = 1'000'000;

struct Event {
  Sample sample;
  Placement placement;
};

// Accounts are spread over shards, each with its own table, fences and changes.
class Sharded {
 public:
  explicit Sharded(std::size_t shards) : shards_(shards) {
    for (Shard& shard : shards_) shard.changes.set_watermark(0);
  }

  bool add(const Event& event) {
    Shard& shard = shard_of(event.sample.account);
    AccountState& state = shard.accounts[event.sample.account];
    if (!admit(state, shard.pools, event.sample, {}).counted) return false;
    count(state, event.sample, event.placement, {}, shard.changes);
    shard.touched.push_back(event.sample.account);
    return true;
  }

  void erase(AccountKey account) {
    Shard& shard = shard_of(account);
    tally::erase(shard.accounts[account], shard.pools, shard.changes);
  }

  /// All hand over; then what is expired goes.
  void mark(std::int64_t watermark_s, const std::function<void(const Totals&)>& before_expiry) {
    for (Shard& shard : shards_) {
      for (const AccountKey key : shard.touched) {
        AccountState& state = shard.accounts[key];
        shard.pools.fences.age(state.fence, static_cast<std::uint32_t>(watermark_s - kHorizon_s));
        if (key % 3 != 0) continue;  // some leave memory and come back
        std::vector<FenceEntry> entries;
        shard.pools.fences.copy(state.fence, entries);
        shard.pools.fences.release(state.fence);
        shard.pools.fences.restore(state.fence, entries);
      }
      shard.touched.clear();
      const Changes handed_over = std::move(shard.changes);
      shard.changes = Changes();
      shard.changes.set_watermark(watermark_s);
      totals_.apply(handed_over, watermark_s);
    }
    before_expiry(totals_);
    totals_.expire(watermark_s);
    totals_.clear_touched();
  }

  [[nodiscard]] Totals& totals() { return totals_; }

 private:
  struct Shard {
    std::map<AccountKey, AccountState> accounts;
    std::vector<AccountKey> touched;
    AccountPools pools;
    Changes changes;
  };
  Shard& shard_of(AccountKey account) { return shards_[account % shards_.size()]; }

  std::vector<Shard> shards_;
  Totals totals_;
};

void expect_equal(const std::vector<CountryFigures>& have, const std::vector<CountryFigures>& want,
                  const std::string& where) {
  ASSERT_EQ(have.size(), want.size());
  for (std::size_t i = 0; i < have.size(); ++i) {
    const std::string what = where + " " + std::string(Country::from_index(i).code());
    ASSERT_EQ(have[i].posts, want[i].posts) << what;
    ASSERT_EQ(have[i].posts_deleted, want[i].posts_deleted) << what;
    ASSERT_EQ(have[i].accounts, want[i].accounts) << what;
    ASSERT_EQ(have[i].engagement, want[i].engagement) << what;
    ASSERT_EQ(have[i].evidence, want[i].evidence) << what;
    ASSERT_EQ(have[i].confidence_sum, want[i].confidence_sum) << what;
    ASSERT_EQ(have[i].window_posts, want[i].window_posts) << what;
    ASSERT_EQ(have[i].window_active, want[i].window_active) << what;
  }
}

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed) {
    windows_ = default_windows();
    windows_.push_back(*parse_window("1s"));
    windows_.push_back(*parse_window("17m"));
    windows_.push_back(*parse_window("25h"));
    for (const std::size_t shards : {1U, 3U, 8U}) {
      sharded_.push_back(std::make_unique<Sharded>(shards));
    }
  }

  void run(std::int64_t days) {
    while (now_s_ < kStart_s + days * kDaySeconds && !testing::Test::HasFatalFailure()) {
      pass_time();
      deliver_what_has_arrived();
      const std::uint64_t dice = random_() % 1'000;
      if (dice < 10) {
        replay();
      } else if (dice < 13) {
        erase_one();
      } else if (dice < 20) {
        mark();
      } else {
        generate();
      }
    }
    EXPECT_GT(counted_, 50'000U);
    EXPECT_GT(delivered_ - counted_, 10'000U) << "replays";
    EXPECT_GT(edges_, 100U);
    EXPECT_GT(days_closed_, 100U);
  }

  // Nothing came for a year, then one post: no window holds anything but it.
  void outlive_every_window() {
    now_s_ += 365 * kDaySeconds;
    deliver_what_has_arrived();
    mark();
    Event event = make(EventKind::kPost, kNewAccount, now_s_);
    deliver(event);
    mark();
    for (const auto& sharded : sharded_) {
      std::uint64_t active = 0;
      std::uint64_t posts = 0;
      for (const CountryFigures& figures : sharded->totals().figures(windows_, now_s_)) {
        for (std::size_t w = 0; w < windows_.size(); ++w) {
          active += figures.window_active[w];
          posts += figures.window_posts[w];
        }
      }
      EXPECT_EQ(active, windows_.size());
      EXPECT_EQ(posts, windows_.size());
      std::map<RowKind, std::size_t> rows;
      for (const auto& [id, row] : sharded->totals().rows()) {
        EXPECT_GE(id.bucket, first_kept(id.kind, now_s_));
        ++rows[id.kind];
      }
      EXPECT_EQ(rows[RowKind::kSecond], 1U);
      EXPECT_EQ(rows[RowKind::kMinute], 1U);
      EXPECT_EQ(rows[RowKind::kHour], 1U);
    }
  }

 private:
  struct Arrival {
    std::int64_t at_s = 0;
    std::uint64_t number = 0;
    Event event;
    bool operator<(const Arrival& other) const {
      return std::tie(at_s, number) > std::tie(other.at_s, other.number);
    }
  };

  AccountKey random_account() {
    // Some post all the time, most now and then.
    return 1 + (random_() % 4 == 0 ? random_() % 60 : random_() % 4'000);
  }

  void pass_time() {
    if (burst_ > 0) {
      --burst_;
      now_s_ += static_cast<std::int64_t>(random_() % 2);
      return;
    }
    switch (random_() % 400) {
      case 0:
        burst_ = 400;
        break;
      case 1:  // a silence, and now and then a long one
        now_s_ += static_cast<std::int64_t>(random_() % (random_() % 8 == 0 ? 5 * 86'400 : 7'200));
        break;
      default:
        now_s_ += static_cast<std::int64_t>(random_() % 160);
    }
  }

  Event make(EventKind kind, AccountKey account, std::int64_t time_s) {
    Event event;
    event.sample.account = account;
    event.sample.kind = kind;
    event.sample.time_us = time_s * kMicrosPerSecond;
    // Siblings now and then: the same revision, another record, seen at about the same time.
    const bool sibling = last_account_ == account && time_s - last_time_s_ < 10 && time_s == now_s_;
    if (!sibling) ++revision_;
    last_account_ = time_s == now_s_ ? account : 0;
    last_time_s_ = time_s;
    event.sample.revision = revision_;
    event.sample.discriminator = random_() << 20;
    event.sample.upstream_time_us =
        now_s_ * kMicrosPerSecond + static_cast<std::int64_t>(revision_ % 1'000'000);
    return event;
  }

  void generate() {
    const AccountKey account =
        last_account_ != 0 && random_() % 10 == 0 ? last_account_ : random_account();
    const std::uint64_t dice = random_() % 100;
    EventKind kind = EventKind::kPost;
    if (dice < 4) kind = EventKind::kPostDelete;
    if (dice >= 4 && dice < 8) kind = EventKind::kProfile;
    if (dice == 8) kind = EventKind::kProfileDelete;
    if (dice == 9) kind = EventKind::kIdentity;
    if (dice >= 10 && dice < 14) kind = EventKind::kAccount;
    std::int64_t time_s = now_s_;
    std::int64_t delay_s =
        random_() % 3 == 0 ? static_cast<std::int64_t>(random_() % kDelayMax_s) : 0;
    // A slow host: the event is new, its time is hours or weeks old.
    if (random_() % 50 == 0 && pending_[account] == 0 &&
        (kind == EventKind::kPost || kind == EventKind::kPostDelete)) {
      time_s -= static_cast<std::int64_t>(random_() % (random_() % 3 == 0 ? 80 * 86'400 : 20'000));
      time_s = std::max(time_s, kStart_s);
      delay_s = 0;
    }
    Event event = make(kind, account, time_s);
    if (kind == EventKind::kAccount) {
      constexpr std::array kStatuses = {AccountStatus::kActive, AccountStatus::kActive,
                                        AccountStatus::kGone, AccountStatus::kDeleted,
                                        AccountStatus::kHostTrouble};
      event.sample.status = kStatuses[random_() % kStatuses.size()];
    }
    ++pending_[account];
    arrivals_.push({now_s_ + delay_s, ++number_, event});
  }

  void deliver_what_has_arrived() {
    while (!arrivals_.empty() && arrivals_.top().at_s <= now_s_) {
      Event event = arrivals_.top().event;
      arrivals_.pop();
      --pending_[event.sample.account];
      event.placement = where(event.sample.account);
      deliver(event);
      history_.push_back(event);
    }
  }

  // Where the account counts from this event on: mostly where it was.
  Placement where(AccountKey account) {
    if (random_() % 12 != 0) return model_.placement(account);
    static const std::array<Country, 6> kCountries = {
        kUnknownCountry, country("FR"), country("JP"), country("BR"), country("XK"), country("AD")};
    Placement placement;
    placement.country = kCountries[random_() % kCountries.size()];
    placement.evidence = static_cast<EvidenceKind>(random_() % kEvidenceKinds);
    placement.confidence = static_cast<std::uint8_t>(random_());
    placement.city = placement.country.known() ? static_cast<std::uint32_t>(random_() % 4) : 0;
    return placement;
  }

  void deliver(const Event& event) {
    const std::int64_t time_s = event.sample.time_us / kMicrosPerSecond;
    if (time_s < watermark_s_ - kTooOldSeconds) return;
    if (time_s / kDaySeconds > watermark_s_ / kDaySeconds && watermark_s_ != 0) close_days(time_s);
    watermark_s_ = std::max(watermark_s_, time_s);
    const bool counted = model_.add(event.sample, event.placement);
    for (const auto& sharded : sharded_) ASSERT_EQ(sharded->add(event), counted);
    ++delivered_;
    counted_ += counted ? 1 : 0;
  }

  // The end of what came before goes again, or anything at all.
  void replay() {
    if (history_.empty()) return;
    const std::size_t back = random_() % 20 == 0 ? 3'000 : random_() % 40;
    std::size_t from = history_.size() - std::min(back, history_.size());
    if (random_() % 2 == 0) from = random_() % history_.size();
    const std::size_t to = std::min(from + back, history_.size());
    for (std::size_t i = from; i < to; ++i) {
      Event event = history_[i];
      event.placement = model_.placement(event.sample.account);
      deliver(event);
    }
  }

  void erase_one() {
    const AccountKey account = random_account();
    if (pending_[account] != 0) return;  // what is on its way would be below the floor
    model_.erase(account);
    for (const auto& sharded : sharded_) sharded->erase(account);
  }

  void mark() {
    ++marks_;
    for (const auto& sharded : sharded_) sharded->mark(watermark_s_, [](const Totals&) {});
    if (marks_ % 16 == 0) compare();
  }

  void close_days(std::int64_t until_s) {
    std::vector<Window> windows;
    for (const std::int64_t seconds : kDayRowWindows) windows.push_back({"", seconds});
    std::map<std::int64_t, std::vector<CountryFigures>> wanted;
    for (std::int64_t day = watermark_s_ / kDaySeconds; day < until_s / kDaySeconds; ++day) {
      wanted[day] = model_.figures(windows, (day + 1) * kDaySeconds - 1);
      ++days_closed_;
    }
    for (const auto& sharded : sharded_) {
      sharded->mark(watermark_s_, [&](const Totals& totals) {
        for (const auto& [day, want] : wanted) compare_day(totals, day, want);
      });
    }
  }

  static void compare_day(const Totals& totals, std::int64_t day,
                          const std::vector<CountryFigures>& want) {
    const std::vector<DayClosing> have = totals.close_day(day);
    for (std::size_t i = 0; i < have.size(); ++i) {
      ASSERT_EQ(have[i].accounts, want[i].accounts) << day;
      ASSERT_EQ(have[i].engagement, want[i].engagement) << day;
      ASSERT_EQ(have[i].evidence, want[i].evidence) << day;
      for (std::size_t w = 0; w < kDayRowWindows.size(); ++w) {
        ASSERT_EQ(have[i].active[w], want[i].window_active[w]) << day;
      }
    }
  }

  void compare() {
    const auto ahead = [&](std::int64_t seconds) {
      return watermark_s_ +
             static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(seconds));
    };
    for (const std::int64_t edge_s : {watermark_s_, ahead(120), ahead(40 * kDaySeconds)}) {
      const auto want = model_.figures(windows_, edge_s);
      for (const auto& sharded : sharded_) {
        expect_equal(
            sharded->totals().figures(windows_, edge_s), want,
            "mark " + std::to_string(marks_) + " edge +" + std::to_string(edge_s - watermark_s_));
      }
      ++edges_;
    }
    for (const auto& sharded : sharded_) {
      auto cities = sharded->totals().cities();
      std::erase_if(cities, [](const auto& city) { return city.second == CityTotals{}; });
      ASSERT_EQ(cities, model_.cities());
      for (const auto& [id, row] : sharded->totals().rows()) {
        ASSERT_GE(id.bucket, first_kept(id.kind, watermark_s_));
        if (id.kind != RowKind::kDay) continue;
        const auto day = model_.days().find(id.bucket);
        for (std::size_t i = 0; i < Country::count(); ++i) {
          Model::Day want;
          if (day != model_.days().end() && day->second.contains(i)) want = day->second.at(i);
          ASSERT_EQ(row->posts[i], want.posts);
          ASSERT_EQ(row->deleted[i], want.deleted);
          ASSERT_EQ(row->accounts[i], want.accounts);
        }
      }
    }
  }

  std::mt19937_64 random_;
  std::vector<Window> windows_;
  std::vector<std::unique_ptr<Sharded>> sharded_;
  Model model_;
  std::priority_queue<Arrival> arrivals_;
  std::map<AccountKey, int> pending_;
  std::vector<Event> history_;
  std::int64_t now_s_ = kStart_s;
  std::int64_t watermark_s_ = 0;
  std::uint64_t revision_ = 0;
  AccountKey last_account_ = 0;
  std::int64_t last_time_s_ = 0;
  std::uint64_t number_ = 0;
  int burst_ = 0;
  std::size_t delivered_ = 0;
  std::size_t counted_ = 0;
  std::size_t marks_ = 0;
  std::size_t edges_ = 0;
  std::size_t days_closed_ = 0;
};

TEST(Model, AllFiguresAreThoseOfTheDefinitions) {
  Simulation simulation(20250101);
  simulation.run(120);
  simulation.outlive_every_window();
}

}  // namespace
}  // namespace geotally::tally
