// What the parts of the Resolver share: its tables, and the scores of one account.
// Private to lib/geo.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "geo/languages.h"
#include "geo/memory.h"
#include "geo/per_country.h"
#include "geo/places.h"
#include "geo/resolver.h"
#include "geo/table.h"
#include "geo/weights.h"

namespace geotally::geo {

inline float logit(double probability) {
  return static_cast<float>(std::log(probability / (1 - probability)));
}

struct Resolver::Tables {
  explicit Tables(const Options& options)
      : table(options.table.empty() ? default_table_path() : options.table),
        weights(options.weights == nullptr ? Weights{} : *options.weights) {
    for (std::size_t i = 0; i < prior.size(); ++i) {
      prior[i] = weights.prior * languages.prior()[i];
    }
    double total = 0;
    for (std::size_t i = 1; i < Country::count(); ++i) total += std::exp(prior[i]);
    for (std::size_t i = 1; i < Country::count(); ++i) {
      prior[i] = std::max(prior[i] - static_cast<float>(std::log(total)), kPriorMin);
      prior_share[i] = std::exp(prior[i]);
    }
    std::fill(prior.begin() + Country::count(), prior.end(), kImpossible);
    prior[0] = kImpossible;
    read_offsets();
    average_x = average(offset_x);
    average_y = average(offset_y);
    average_one = std::accumulate(prior_share.begin(), prior_share.end(), 0.0F);
    for (std::size_t i = 0; i < by_offset.size(); ++i) average_by_offset[i] = average(by_offset[i]);
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

  // How likely an offset is for a country's inhabitants, as log-likelihood.
  void read_offsets() {
    constexpr float kFloor = 0.08F;  // travellers, and clocks that are set wrong
    for (auto& row : by_offset) row.fill(std::log(kFloor));
    std::array<std::array<float, 128>, Country::kLimit> shares{};
    for (const OffsetShare& row : table.offsets()) {
      auto& country = shares[table.country(row.country).index()];
      const float share = static_cast<float>(row.share) / 255;
      for (const int quarters : {int{row.winter}, int{row.summer}}) {
        const int place = quarters + Memory::kOffsetBias;
        auto& slot = country[static_cast<std::size_t>(place)];
        slot = std::min(1.0F, slot + share);
        if (row.winter == row.summer) break;
      }
    }
    for (std::size_t c = 0; c < Country::kLimit; ++c) {
      double x = 0;
      double y = 0;
      for (std::size_t o = 0; o < 128; ++o) {
        if (shares[c][o] > 0) by_offset[o][c] = std::log(kFloor + (1 - kFloor) * shares[c][o]);
        const double angle =
            2 * std::numbers::pi * (static_cast<double>(o) - Memory::kOffsetBias) / 96;
        x += shares[c][o] * std::cos(angle);
        y += shares[c][o] * std::sin(angle);
      }
      const double mean = std::atan2(y, x);
      offset_x[c] = static_cast<float>(std::cos(mean));
      offset_y[c] = static_cast<float>(std::sin(mean));
    }
  }

  static constexpr float kPriorMin = -11.5F;
  static constexpr float kImpossible = -100.0F;
  Table table;
  Languages languages;
  Weights weights;
  Prior prior{};
  PerCountry prior_share{};                 // exp(prior): the share of all accounts
  std::array<PerCountry, 128> by_offset{};  // by packed offset
  // The mean offset of a country's inhabitants, as a unit vector on the clock of 24 hours.
  PerCountry offset_x{};
  PerCountry offset_y{};
  // What average() gives of these, and of ones.
  float average_x = 0;
  float average_y = 0;
  float average_one = 0;
  std::array<float, 128> average_by_offset{};
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

  void add(EvidenceKind which, Country country, float value) {
    row(which)[country.index()] += value;
    average[static_cast<std::size_t>(which)] += value * tables.prior_share[country.index()];
  }
  void add_language(std::uint16_t id, float factor) {
    const auto uses = tables.languages.uses(id);
    if (uses.empty()) return;
    PerCountry& values = row(EvidenceKind::kLanguage);
    float sum = 0;
    for (const auto& use : uses) {
      values[use.country] += factor * use.gain;
      sum += factor * use.gain * tables.prior_share[use.country];
    }
    average[static_cast<std::size_t>(EvidenceKind::kLanguage)] += sum;
  }
  void add_offset(std::uint8_t offset, float factor) {
    PerCountry& values = row(EvidenceKind::kZone);
    const PerCountry& likelihood = tables.by_offset[offset];
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += factor * likelihood[i];
    average[static_cast<std::size_t>(EvidenceKind::kZone)] +=
        factor * tables.average_by_offset[offset];
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
