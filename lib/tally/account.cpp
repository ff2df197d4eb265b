#include "tally/account.h"

#include "tally/order.h"

namespace geotally::tally {
namespace {

constexpr std::uint32_t kEngagedDays = 8;
constexpr std::uint32_t kEngagedWithin = 28;
constexpr std::uint32_t kDayBits = 32;

std::uint32_t day_of(std::uint32_t time_s) {
  return time_s / static_cast<std::uint32_t>(kDaySeconds);
}

// Day on which an account that does not post again ceases to be engaged; 0 = it is not.
// Engaged at day D: at least 8 days of posts in (D - 28, D]. So it lapses 28 days after
// the 8th last of its days.
std::uint32_t lapse_day(const AccountState& state) {
  std::uint32_t days = state.days;
  for (std::uint32_t i = 1; i < kEngagedDays; ++i) days &= days - 1;  // drops the latest seven
  if (days == 0) return 0;
  const auto eighth = static_cast<std::uint32_t>(__builtin_ctz(days));
  if (eighth >= kEngagedWithin) return 0;
  return day_of(state.last_post_s) - eighth + kEngagedWithin;
}

}  // namespace

AccountState unknown_account(std::uint64_t floor) {
  AccountState state;
  state.fence.floor = floor;
  if (floor != 0) {
    state.newest_key = believed_order(time_of(floor));
    state.set(AccountState::kTold, true);
  }
  return state;
}

Standing standing_of(const AccountState& state) {
  Standing standing;
  standing.counted = state.has(AccountState::kKnown) && !state.has(AccountState::kGone);
  if (!standing.counted) return standing;
  standing.country = state.country;
  standing.evidence = state.evidence;
  standing.confidence = state.confidence;
  standing.city = state.city;
  standing.last_post_s = state.last_post_s;
  standing.never = state.posts == 0;
  standing.once = !standing.never && !state.has(AccountState::kSecondDay);
  standing.lapse_day = lapse_day(state);
  standing.automated = state.has(AccountState::kAutomated);
  standing.bridged = state.has(AccountState::kBridged);
  return standing;
}

void record_post(AccountState& state, std::uint32_t time_s) {
  const std::uint32_t day = day_of(time_s);
  if (state.posts == 0) {
    state.last_post_s = time_s;
    state.days = 1;
    state.posts = 1;
    return;
  }
  if (state.posts != UINT32_MAX) ++state.posts;
  const std::uint32_t last_day = day_of(state.last_post_s);
  if (day != last_day) state.set(AccountState::kSecondDay, true);
  if (day > last_day) {
    const std::uint32_t ahead = day - last_day;
    state.days = (ahead < kDayBits ? state.days << ahead : 0) | 1;
  } else if (last_day - day < kDayBits) {
    state.days |= 1U << (last_day - day);
  }
  if (time_s > state.last_post_s) state.last_post_s = time_s;
}

}  // namespace geotally::tally
