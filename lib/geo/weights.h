// What each piece of evidence counts: weights.inc, as bench/geo/fit.cpp writes it. All are factors,
// nats or probabilities.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "geo/resolver.h"

namespace geotally::geo {

struct Weights {
#define GEOTALLY_WEIGHT(name, value, judged, spread, words) float name = static_cast<float>(value);
#include "geo/weights.inc"
#undef GEOTALLY_WEIGHT
};

struct WeightInfo {
  std::string_view name;
  float Weights::*member;
  float judged;  ///< what it is believed to be before any account is seen,
  float spread;  ///< and how far from that it may well be; 0 = it stays there
  std::string_view words;
};
/// For the fitting program.
inline constexpr WeightInfo kWeightInfos[] = {
#define GEOTALLY_WEIGHT(name, value, judged, spread, words) \
  {#name, &Weights::name, static_cast<float>(judged), static_cast<float>(spread), words},
#include "geo/weights.inc"
#undef GEOTALLY_WEIGHT
};

/// A confidence is logistic(slope × logit of the probability + shift), by what an answer rests on;
/// `agreement` is added to the shift where several kinds of evidence agree. Source: J. Platt,
/// Probabilistic outputs for support vector machines (1999).
struct CalibrationInfo {
  float Weights::*slope;
  float Weights::*shift;
};
inline constexpr std::array<CalibrationInfo, kBases> kCalibrations = {{
    {&Weights::slope_language, &Weights::shift_language},
    {&Weights::slope_place, &Weights::shift_place},
    {&Weights::slope_mention, &Weights::shift_mention},
    {&Weights::slope_flag, &Weights::shift_flag},
    {&Weights::slope_declared, &Weights::shift_declared},
    {&Weights::slope_other, &Weights::shift_other},
}};
/// The logit that counts: beyond a bound, what is more probable is right no more often. Travellers
/// are everywhere.
[[nodiscard]] inline double bounded_logit(double probability) {
  constexpr double kMost = 3.5;
  const double p = std::clamp(probability, 1e-4, 1 - 1e-4);
  return std::min(std::log(p / (1 - p)), kMost);
}
/// Weak evidence is held below the threshold, however probable the country: it is right by three in
/// four, and no more often where more probable. Languages of single posts are mistaken, and flags
/// are of where a family is from.
inline constexpr double kMostOfWeak = 0.5;
/// Hours of activity alone tell continents apart, not countries.
inline constexpr double kMostOfHours = 0.3;
[[nodiscard]] inline double confidence_of(const Weights& weights, double probability,
                                          Ground ground) {
  const CalibrationInfo& info = kCalibrations.at(static_cast<std::size_t>(ground.basis));
  const double odds = weights.*info.slope * bounded_logit(probability) + weights.*info.shift +
                      (ground.agreement ? weights.agreement : 0);
  const double confidence = 1 / (1 + std::exp(-odds));
  if (!ground.weak) return confidence;
  return std::min(confidence, ground.basis == Basis::kOther ? kMostOfHours : kMostOfWeak);
}

}  // namespace geotally::geo
