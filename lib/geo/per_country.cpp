#include "geo/per_country.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <numbers>

// Each function is compiled for wider registers too, and the program takes what the processor has
// (gcc.gnu.org, "Common Function Attributes", target_clones). AVX2 alone has no fused
// multiplication, so that every sum comes out the same. Not under sanitizers, whose runtimes are
// not there yet when the choice is made, and clang 14 does not know it.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GEOTALLY_WIDE [[gnu::target_clones("default", "avx2")]]
#else
#define GEOTALLY_WIDE
#endif

namespace geotally::geo {
namespace {

// Halves of `values` are laid upon each other until one value is left: in the order of the
// countries each step would wait for the one before it, and the compiler may not change the order
// of sums by itself.
template <typename Fold>
float fold_all(PerCountry& values, Fold fold) {
  for (std::size_t half = values.size() / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) values[i] = fold(values[i], values[i + half]);
  }
  return values[0];
}

// Where the value is first, which is somewhere. Elsewhere counts as a place behind all: a way out
// of the loop, or a jump in it, would keep it out of vector registers.
std::size_t first_of(const PerCountry& values, float value) {
  constexpr std::int32_t kBehind = Country::kLimit;
  static_assert((kBehind & (kBehind - 1)) == 0);
  std::int32_t first = kBehind;
  for (std::int32_t i = 0; i < kBehind; ++i) {
    const std::int32_t elsewhere = -std::int32_t{values[static_cast<std::size_t>(i)] != value};
    first = std::min(first, i | (elsewhere & kBehind));
  }
  return static_cast<std::size_t>(first);
}

// e^x for x <= 0, and e^-80 below that; off by less than 2e-7 of it. Written so that a loop over it
// runs in vector registers, which the library's does not. S. L. Moshier, Cephes, expf.
float exp_of_negative(float x) {
  x = std::max(x, -80.0F);
  const int power = static_cast<int>(x * std::numbers::log2e_v<float> - 0.5F);
  const auto whole = static_cast<float>(power);
  // ln 2 in two parts, of which the first times a small integer is exact.
  x = x - whole * 0.693359375F + whole * 2.12194440e-4F;
  float series = 1.9875691500e-4F;
  series = series * x + 1.3981999507e-3F;
  series = series * x + 8.3334519073e-3F;
  series = series * x + 4.1665795894e-2F;
  series = series * x + 1.6666665459e-1F;
  series = series * x + 5.0000001201e-1F;
  constexpr int kBias = 127;
  constexpr int kMantissaBits = 23;
  return (series * x * x + x + 1) * std::bit_cast<float>((power + kBias) << kMantissaBits);
}

}  // namespace

GEOTALLY_WIDE void add(const PerCountry& what, PerCountry& to) {
  for (std::size_t i = 0; i < what.size(); ++i) to[i] += what[i];
}

GEOTALLY_WIDE Peak peak_of(const PerCountry& log_odds) {
  PerCountry parts = log_odds;
  const float largest = fold_all(parts, [](float a, float b) { return a > b ? a : b; });
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = exp_of_negative(log_odds[i] - largest);
  const float sum = fold_all(parts, [](float a, float b) { return a + b; });
  return {first_of(log_odds, largest), 1 / sum};
}

}  // namespace geotally::geo
