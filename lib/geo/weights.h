// What each piece of evidence counts: weights.inc, as bench/geo/fit.cpp writes it. All are factors,
// nats or probabilities.
#pragma once

#include <string_view>

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

}  // namespace geotally::geo
