// One account and its samples, for tests that say what happens to it.
#pragma once

#include <cstdint>
#include <string_view>

#include "tally/tally.h"
#include "tally/totals.h"

namespace geotally::tally {

inline Country country(std::string_view code) { return *Country::parse(code); }

inline constexpr std::int64_t kNoon_s = 20'000 * kDaySeconds + 12 * 3'600;  // of some day
inline constexpr std::int64_t kDay = 20'000;

/// An account with a shard, a table and totals of its own; every call is one event.
class OneAccount {
 public:
  OneAccount() { changes_.set_watermark(0); }

  Sample sample(EventKind kind, std::int64_t time_s) {
    Sample sample;
    sample.kind = kind;
    sample.time_us = time_s * kMicrosPerSecond;
    sample.revision = ++revision_ * 1'000;
    sample.discriminator = revision_ << 20;
    sample.upstream_time_us = sample.time_us;
    return sample;
  }
  /// Whether it was counted.
  bool add(const Sample& sample) { return add(sample, {state.country, state.evidence, 0}); }
  bool add(const Sample& sample, Placement placement) {
    const Admission admission = admit(state, pools, sample, facts);
    if (!admission.counted) return false;
    if (admission.evidence && declare(state, sample)) {
      placement = {state.declared,
                   state.declared.known() ? EvidenceKind::kExplicit : EvidenceKind::kNone, 0};
    }
    count(state, told(sample, admission), placement, facts, changes_);
    return true;
  }
  bool post(std::int64_t time_s) { return add(sample(EventKind::kPost, time_s)); }
  bool post(std::int64_t time_s, Country where) {
    return add(sample(EventKind::kPost, time_s), {where, EvidenceKind::kLanguage, 128});
  }
  bool status(AccountStatus status, std::int64_t time_s) {
    Sample event = sample(EventKind::kAccount, time_s);
    event.status = status;
    return add(event);
  }
  bool address(Country declared, std::uint64_t key, std::int64_t time_s) {
    Sample event = sample(EventKind::kAddress, time_s);
    event.country = declared;
    event.record_key = key;
    return add(event);
  }
  void forget() { erase(state, pools, changes_); }

  /// Figures of `where`; window 0 is 15m, 1 is 24h, 2 is 90d.
  CountryFigures figures(std::int64_t edge_s, Country where = {}) {
    totals.apply(changes_);
    changes_ = Changes();
    const std::vector<Window> windows = {*parse_window("15m"), *parse_window("24h"),
                                         *parse_window("90d")};
    return totals.figures(windows, edge_s)[where.index()];
  }
  Engagement engagement(std::int64_t edge_s) {
    const CountryFigures now = figures(edge_s);
    for (std::size_t i = 0; i < kEngagements; ++i) {
      if (now.engagement[i] == 1) return static_cast<Engagement>(i);
    }
    return Engagement::kNever;
  }

  AccountState state;
  AccountPools pools;
  StoreFacts facts;
  Totals totals;

 private:
  // As the shard has it.
  static Sample told(Sample sample, const Admission& admission) {
    sample.told = admission.told;
    sample.time_us = admission.time_us;
    return sample;
  }

  Changes changes_;
  std::uint64_t revision_ = 0;
};

}  // namespace geotally::tally
