// The clock's hand of a table's second-chance replacement, which leaps.
//
// A hand that goes from slot to slot leaves empty land behind itself, and what comes in meanwhile
// crowds before it: with linear probing, searches there become as long as the crowd. Leaps by the
// golden section of the table (Knuth, TAOCP 3, 6.4: Fibonacci hashing) thin it out evenly.
#pragma once

#include <cstddef>
#include <numeric>

namespace geotally::pipeline {

class Hand {
 public:
  /// The hand of a table of `slots` > 0.
  explicit Hand(std::size_t slots) : slots_(slots), leap_(slots * 618'034 / 1'000'000 + 1) {
    while (std::gcd(leap_, slots_) != 1) ++leap_;  // so that it comes by everywhere
  }

  [[nodiscard]] std::size_t slots() const { return slots_; }
  /// Moves on: in so many moves as there are slots it comes by each once.
  std::size_t next() { return at_ = (at_ + leap_) % slots_; }

 private:
  std::size_t slots_;
  std::size_t leap_;
  std::size_t at_ = 0;
};

}  // namespace geotally::pipeline
