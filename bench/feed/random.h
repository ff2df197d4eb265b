// Randomness that is the same on every machine: no distribution of the standard
// library, whose results differ between implementations.
#pragma once

#include <cstdint>

namespace geotally::feedgen {

/// splitmix64's finaliser: a good hash of one number.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return mix(mix(a) ^ (b * 0xd1342543de82ef95ULL + 1));
}

__extension__ typedef unsigned __int128 Uint128;

class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : state_(mix(seed)) {}

  [[nodiscard]] constexpr std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    return mix(state_);
  }
  /// Below `bound`, which is positive. The bias of one in 2^64 / bound does not matter here.
  [[nodiscard]] constexpr std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<Uint128>(next()) * bound) >> 64);
  }
  /// In [0, 1).
  [[nodiscard]] constexpr double real() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// In [low, high]; `low` where the range is empty.
  [[nodiscard]] constexpr std::int64_t between(std::int64_t low, std::int64_t high) {
    if (high <= low) return low;
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  [[nodiscard]] constexpr bool chance(double probability) { return real() < probability; }

 private:
  std::uint64_t state_;
};

}  // namespace geotally::feedgen
