// How long to wait before the next attempt: exponential, capped, with jitter.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace geotally::feed {

struct BackoffOptions {
  std::chrono::milliseconds first{250};
  std::chrono::milliseconds max{60'000};
};

/// "Equal jitter": half of the step is kept, the other half is random, so a herd of
/// clients spreads and none retries at once. Pure apart from its own generator.
class Backoff {
 public:
  explicit Backoff(BackoffOptions options = {}, std::uint64_t seed = std::random_device{}());

  /// The delay before the next attempt; each call doubles the step up to the maximum.
  [[nodiscard]] std::chrono::milliseconds next();
  /// Only real progress resets it; a connection that dies at once is none.
  void reset() { failures_ = 0; }
  [[nodiscard]] std::uint32_t failures() const { return failures_; }

 private:
  BackoffOptions options_;
  std::uint32_t failures_ = 0;
  std::mt19937_64 random_;
};

}  // namespace geotally::feed
