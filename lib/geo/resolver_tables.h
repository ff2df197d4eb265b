// What the parts of the Resolver share: its tables, and the scores of one account.
// Private to lib/geo.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string_view>

#include "geo/languages.h"
#include "geo/memory.h"
#include "geo/per_country.h"
#include "geo/places.h"
#include "geo/resolver.h"
#include "geo/stored_weights.h"
#include "geo/table.h"
#include "geo/weights.h"
#include "geo/zones.h"

namespace geotally::geo {

inline float logit(double probability) {
  return static_cast<float>(std::log(probability / (1 - probability)));
}

// By which clocks the inhabitants of a country live now: Debian's tzdata, weighed by GeoNames.
struct ClockRow {
  std::string_view country;
  int winter, summer;  ///< quarter hours from UTC
  int per_mille;
};
inline constexpr ClockRow kClocks[] = {
#include "geo/clock_table.inc"
};

struct Resolver::Tables {
  explicit Tables(const Options& options)
      : table(options.table.empty() ? default_table_path() : options.table),
        zones(table),
        weights(options.weights == nullptr ? Weights{} : *options.weights),
        languages({.english = std::max(weights.english_abroad, kLeastShare),
                   .other = std::max(weights.abroad, kLeastShare),
                   .mistaken = std::max(weights.mistaken, kLeastShare)}) {
    for (std::size_t i = 0; i < prior.size(); ++i) {
      prior[i] = kPriorExponent * languages.prior()[i];
    }
    double total = 0;
    for (std::size_t i = 1; i < Country::count(); ++i) total += std::exp(prior[i]);
    for (std::size_t i = 1; i < Country::count(); ++i) {
      prior[i] = std::max(prior[i] - static_cast<float>(std::log(total)), kPriorMin);
      prior_share[i] = std::exp(prior[i]);
    }
    std::fill(prior.begin() + Country::count(), prior.end(), kImpossible);
    prior[0] = kImpossible;
    for (std::size_t i = 1; i < Country::count(); ++i) {
      const float strength = 2 * lift(Country::from_index(i), kStoredFlag);
      stored_flag[i] = static_cast<std::uint8_t>(
          std::clamp<long>(std::lround(strength), 0, Memory::kStrengthMax));
    }
    read_clocks();
    average_x = average(offset_x);
    average_y = average(offset_y);
    average_one = std::accumulate(prior_share.begin(), prior_share.end(), 0.0F);
  }

  // Over all accounts, as the prior spreads them.
  [[nodiscard]] float average(const PerCountry& values) const {
    return std::inner_product(values.begin(), values.end(), prior_share.begin(), 0.0F);
  }

  // Log-odds that lift a country from its prior to `probability`.
  [[nodiscard]] float lift(Country country, double probability) const {
    return std::max(0.0F, logit(probability) - logit(std::exp(prior[country.index()])));
  }

  // The same for its code in a domain, which people elsewhere buy too, of every country about as
  // many: of a country of few accounts they hold the greater part.
  [[nodiscard]] float lift_of_domain(Country country, double probability) const {
    constexpr double kElsewhere = 2e-5;  // share of all accounts, judged
    const double share = prior_share[country.index()];
    return lift(country, probability * share / (share + kElsewhere));
  }

  // What a candidate of a profile counts, in nats: what is stored of it, and what is known since of
  // how often such are right.
  [[nodiscard]] float value(const Memory& memory, const Memory::Candidate& candidate) const {
    float value = static_cast<float>(candidate.strength) / 2;
    if (candidate.kind == Memory::kMention) value += weights.mention;
    if (candidate.kind == EvidenceKind::kFlag) {
      const auto flags = std::count_if(
          memory.profile.begin(), memory.profile.end(),
          [](const Memory::Candidate& one) { return one.kind == EvidenceKind::kFlag; });
      // A lone flag is stored with one strength, which a demonym hardly ever has.
      const bool flag = candidate.strength == stored_flag[candidate.country.index()];
      const double right = flag ? weights.flag : weights.demonym;
      if (flags == 1) value += logit(right) - logit(kStoredFlag);
    }
    return std::max(0.0F, value);
  }

  using Shares = std::array<std::array<float, 128>, Country::kLimit>;

  // Which share of a country's inhabitants has an offset, as log-likelihood.
  struct Clocks {
    std::array<PerCountry, 128> by_offset{};  // by packed offset
    std::array<float, 128> average{};         // what average() gives of these
  };
  void read_clocks(const Shares& shares, float floor, Clocks& clocks) const {
    for (std::size_t o = 0; o < clocks.by_offset.size(); ++o) {
      for (std::size_t c = 0; c < Country::kLimit; ++c) {
        clocks.by_offset[o][c] = std::log(floor + (1 - floor) * std::min(1.0F, shares[c][o]));
      }
      clocks.average[o] = average(clocks.by_offset[o]);
    }
  }
  void read_clocks() {
    // Travellers, and clocks that are set wrong: more among those that a form asked for than among
    // those of a device.
    constexpr float kWrongInForm = 0.08F;
    constexpr float kWrongInDevice = 0.015F;
    Shares seasons{};
    Shares january{};
    for (const OffsetShare& row : table.offsets()) {
      const auto country = table.country(row.country).index();
      const float share = static_cast<float>(row.share) / 255;
      add_clock(seasons[country], row.winter, row.summer, share);
      add_clock(january[country], row.winter, row.winter, share);
    }
    read_clocks(seasons, kWrongInForm, then);
    read_clocks(january, kWrongInForm, then_in_january);
    Shares today{};
    for (const ClockRow& row : kClocks) {
      add_clock(today[Country::parse(row.country)->index()], row.winter, row.summer,
                static_cast<float>(row.per_mille) / 1000);
    }
    read_clocks(today, kWrongInDevice, now);
    for (std::size_t c = 0; c < Country::kLimit; ++c) {
      double x = 0;
      double y = 0;
      for (std::size_t o = 0; o < 128; ++o) {
        const double angle =
            2 * std::numbers::pi * (static_cast<double>(o) - Memory::kOffsetBias) / 96;
        x += seasons[c][o] * std::cos(angle);
        y += seasons[c][o] * std::sin(angle);
      }
      const double mean = std::atan2(y, x);
      offset_x[c] = static_cast<float>(std::cos(mean));
      offset_y[c] = static_cast<float>(std::sin(mean));
    }
  }
  // Offsets in quarter hours.
  static void add_clock(std::array<float, 128>& shares, int winter, int summer, float share) {
    shares[static_cast<std::size_t>(winter + Memory::kOffsetBias)] += share;
    if (summer != winter) shares[static_cast<std::size_t>(summer + Memory::kOffsetBias)] += share;
  }

  static constexpr float kPriorMin = -11.5F;
  static constexpr float kImpossible = -100.0F;
  static constexpr float kLeastShare = 1e-5F;
  Table table;
  Zones zones;
  Weights weights;
  Languages languages;
  Prior prior{};
  std::array<std::uint8_t, Country::kLimit> stored_flag{};  // strength of a lone flag
  PerCountry prior_share{};                                 // exp(prior): the share of all accounts
  Clocks then;             // of 2015, winter and summer, as profiles give offsets
  Clocks then_in_january;  // as the names of zones are stored
  Clocks now;              // winter and summer, as posts are dated
  // The mean offset of a country's inhabitants, as a unit vector on the clock of 24 hours.
  PerCountry offset_x{};
  PerCountry offset_y{};
  // What average() gives of these, and of ones.
  float average_x = 0;
  float average_y = 0;
  float average_one = 0;
};

// What each kind of evidence says, so that the answer can name the one that decided, and all of it
// together.
struct Resolver::Scores {
  explicit Scores(const Tables& from) : tables(from) {}

  const Tables& tables;
  PerCountry total;
  std::array<PerCountry, kEvidenceKinds> by_kind;
  std::array<float, kEvidenceKinds> average{};  ///< over all accounts, as the prior spreads them
  std::array<bool, kEvidenceKinds> spoke{};
  std::size_t best = 0;
  double probability = 0;  ///< uncalibrated, of `best`
  double confidence = 0;
  EvidenceKind kind = EvidenceKind::kNone;
  Ground ground;

  void add(EvidenceKind which, Country country, float value) {
    row(which)[country.index()] += value;
    average[static_cast<std::size_t>(which)] += value * tables.prior_share[country.index()];
  }
  /// `gain`: which of the gains of Languages::Use.
  void add_language(std::uint16_t id, float factor, float Languages::Use::*gain) {
    const auto uses = tables.languages.uses(id);
    if (uses.empty()) return;
    PerCountry& values = row(EvidenceKind::kLanguage);
    float sum = 0;
    for (const auto& use : uses) {
      const float value = factor * use.*gain;
      values[use.country] += value;
      sum += value * tables.prior_share[use.country];
    }
    average[static_cast<std::size_t>(EvidenceKind::kLanguage)] += sum;
  }
  void add_offset(const Tables::Clocks& clocks, std::uint8_t offset, float factor) {
    PerCountry& values = row(EvidenceKind::kZone);
    const PerCountry& likelihood = clocks.by_offset[offset];
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += factor * likelihood[i];
    average[static_cast<std::size_t>(EvidenceKind::kZone)] += factor * clocks.average[offset];
  }
  /// A country's offset, as a unit vector, along and across; `most` is what the best offset gets.
  void add_hours(float along, float across, float most) {
    PerCountry& values = row(EvidenceKind::kZone);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] += along * tables.offset_x[i] - across * tables.offset_y[i] - most;
    }
    average[static_cast<std::size_t>(EvidenceKind::kZone)] +=
        along * tables.average_x - across * tables.average_y - most * tables.average_one;
  }

 private:
  PerCountry& row(EvidenceKind which) {
    const auto index = static_cast<std::size_t>(which);
    if (!spoke[index]) by_kind[index].fill(0);
    spoke[index] = true;
    return by_kind[index];
  }
};

}  // namespace geotally::geo
