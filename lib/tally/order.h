// Where in time a revision or a record key stands.
//
// Both are TIDs (atproto.com/specs/tid): microseconds since the epoch above kTieBits bits that tell
// apart what one microsecond holds. As numbers they rise with time.
#pragma once

#include <cstdint>

namespace geotally::tally {

inline constexpr unsigned kTieBits = 10;

/// Microseconds since the epoch.
[[nodiscard]] constexpr std::int64_t time_of(std::uint64_t order) {
  return static_cast<std::int64_t>(order >> kTieBits);
}
/// The smallest order of that time; 0 before the epoch.
[[nodiscard]] constexpr std::uint64_t first_order_of(std::int64_t time_us) {
  return time_us <= 0 ? 0 : static_cast<std::uint64_t>(time_us) << kTieBits;
}
/// The largest order of that time.
[[nodiscard]] constexpr std::uint64_t last_order_of(std::int64_t time_us) {
  return first_order_of(time_us) | ((std::uint64_t{1} << kTieBits) - 1);
}

/// So far a revision or a key may lie ahead of the moment at which the server witnessed it
/// (DEFINITIONS: Future revision, Told rows).
inline constexpr std::int64_t kOrderAheadMaxUs = 600'000'000;
/// The largest order that is believed of what was witnessed at `witnessed_us`.
[[nodiscard]] constexpr std::uint64_t believed_order(std::int64_t witnessed_us) {
  return last_order_of(witnessed_us + kOrderAheadMaxUs);
}
/// The first moment of a network's records that is believed: 2022-11-17 (DEFINITIONS: Told rows).
inline constexpr std::int64_t kNetworkBeginUs = 1'668'643'200'000'000;

}  // namespace geotally::tally
