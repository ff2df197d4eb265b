// The spellings of the network: DIDs, TIDs, CIDs and times, written into a
// buffer that has room. Each returns the first byte after what it wrote.
#pragma once

#include <cstdint>
#include <string_view>

namespace geotally::feedgen {

inline char* put(char* out, std::string_view text) {
  text.copy(out, text.size());  // not memcpy: an empty view may point nowhere
  return out + text.size();
}
inline char* put(char* out, char c) {
  *out = c;
  return out + 1;
}
char* put_number(char* out, std::int64_t value);

/// "did:plc:" and 24 characters: 32 bytes that follow from the two numbers.
inline constexpr std::size_t kDidSize = 32;
char* put_did(char* out, std::uint64_t seed, std::uint32_t account);

/// 13 characters of base32-sortable: microseconds and a clock's number (10 bits).
inline constexpr std::size_t kTidSize = 13;
char* put_tid(char* out, std::int64_t time_us, std::uint32_t clock);

/// 59 characters that look like a CID and follow from `hash`.
char* put_cid(char* out, std::uint64_t hash);

/// "2012-07-01T00:00:00.000000Z" with `digits` (3 or 6) digits of the second.
char* put_time(char* out, std::int64_t time_us, int digits);

/// The flag of a country, as its two regional indicators: 8 bytes of UTF-8.
char* put_flag(char* out, std::string_view code);

}  // namespace geotally::feedgen
