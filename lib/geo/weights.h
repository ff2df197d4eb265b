// What each piece of evidence counts, fitted by bench/geo/fit.cpp (which prints its
// out-of-fold figures) and committed as weights.inc. All are factors or nats.
#pragma once

#include <string_view>

namespace geotally::geo {

struct Weights {
#define GEOTALLY_WEIGHT(name, value, low, high) float name = static_cast<float>(value);
#include "geo/weights.inc"
#undef GEOTALLY_WEIGHT
};

struct WeightInfo {
  std::string_view name;
  float Weights::*member;
  float low;
  float high;
};
/// For the fitting program: every weight and the range in which it makes sense.
inline constexpr WeightInfo kWeightInfos[] = {
#define GEOTALLY_WEIGHT(name, value, low, high) \
  {#name, &Weights::name, static_cast<float>(low), static_cast<float>(high)},
#include "geo/weights.inc"
#undef GEOTALLY_WEIGHT
};

}  // namespace geotally::geo
