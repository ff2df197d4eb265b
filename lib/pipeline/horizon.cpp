#include "pipeline/horizon.h"

#include <algorithm>

#include "tally/windows.h"

namespace geotally::pipeline {
namespace {

constexpr std::int64_t kMinute_us = 60'000'000;
constexpr std::int64_t kAheadOfWall_us = 10 * kMinute_us;
constexpr std::int64_t kAheadOfFeed_us = 30 * 24 * 60 * kMinute_us;
// A witness waits for so many good events, then its time was wrong.
constexpr std::uint64_t kGoodEventsMax = 1'000;
// Event times are counted in 32 bits of seconds: nothing from after 2106 is believed, whoever
// confirms it, not even of the first event ever.
constexpr std::int64_t kBelievedMax_us = std::int64_t{UINT32_MAX} * tally::kMicrosPerSecond;

}  // namespace

std::int64_t Horizon::limit_us(std::int64_t wall_us) const {
  if (mode_ == ClockMode::kFeed) {
    if (watermark_us_ == 0) return kBelievedMax_us;  // the first event ever sets the watermark
    return std::min(std::max(watermark_us_ + kAheadOfFeed_us, confirmed_us_), kBelievedMax_us);
  }
  return std::min(std::max(std::max(wall_us, watermark_us_) + kAheadOfWall_us, confirmed_us_),
                  kBelievedMax_us);
}

Horizon::Judgement Horizon::judge(std::uint64_t account, std::int64_t time_us,
                                  std::int64_t wall_us) {
  if (time_us <= limit_us(wall_us)) {
    if (held_ != 0 && ++good_ >= kGoodEventsMax) give_up();
    if (time_us < watermark_us_ - tally::kTooOldSeconds * tally::kMicrosPerSecond) {
      return Judgement::kTooOld;
    }
    watermark_us_ = std::max(watermark_us_, time_us);
    return Judgement::kGood;
  }
  if (time_us > kBelievedMax_us) {
    ++given_up_;
    return Judgement::kFuture;
  }
  if (held_ != 0 && account != witness_) {
    // Two accounts agree that it is later than we think; the earlier of their times is certain.
    confirmed_us_ = std::min(time_us, witness_us_) + kAheadOfWall_us;
    confirmed_ += held_ + 1;
    held_ = 0;
    return Judgement::kConfirmed;
  }
  if (held_ == 0) {
    witness_ = account;
    witness_us_ = time_us;
    good_ = 0;
  }
  witness_us_ = std::min(witness_us_, time_us);
  ++held_;
  return Judgement::kFuture;
}

void Horizon::give_up() {
  given_up_ += held_;
  held_ = 0;
}

std::uint64_t Horizon::take_confirmed() {
  const std::uint64_t confirmed = confirmed_;
  confirmed_ = 0;
  return confirmed;
}

std::uint64_t Horizon::take_unconfirmed() {
  const std::uint64_t given_up = given_up_;
  given_up_ = 0;
  return given_up;
}

}  // namespace geotally::pipeline
