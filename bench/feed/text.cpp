#include "feed/text.h"

#include <array>
#include <charconv>
#include <cstring>

#include "feed/random.h"

namespace geotally::feedgen {
namespace {

constexpr std::string_view kSortable = "234567abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";

/// All pairs of characters: two are written at a time.
constexpr std::array<char, 2048> pairs(std::string_view alphabet) {
  std::array<char, 2048> table{};
  for (std::size_t i = 0; i < 1024; ++i) {
    table[2 * i] = alphabet[i >> 5];
    table[2 * i + 1] = alphabet[i & 31];
  }
  return table;
}
constexpr auto kSortablePairs = pairs(kSortable);
constexpr auto kBase32Pairs = pairs(kBase32);

char* put_pair(char* out, const std::array<char, 2048>& table, std::uint64_t bits) {
  std::memcpy(out, table.data() + 2 * (bits & 1023), 2);
  return out + 2;
}

char* put_two(char* out, unsigned value) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
  return out + 2;
}

}  // namespace

char* put_number(char* out, std::int64_t value) { return std::to_chars(out, out + 20, value).ptr; }

char* put_did(char* out, std::uint64_t seed, std::uint32_t account) {
  out = put(out, "did:plc:");
  // Two different finalisers of one number: no two accounts of a seed share both halves.
  std::uint64_t low = mix(mix(seed) ^ account);
  std::uint64_t high = mix(low ^ 0x5bd1e995ULL);
  for (int i = 0; i < 6; ++i, low >>= 10) out = put_pair(out, kBase32Pairs, low);
  for (int i = 0; i < 6; ++i, high >>= 10) out = put_pair(out, kBase32Pairs, high);
  return out;
}

char* put_tid(char* out, std::int64_t time_us, std::uint32_t clock) {
  const std::uint64_t value = (static_cast<std::uint64_t>(time_us) << 10) | (clock & 1023);
  *out++ = kSortable[value >> 60 & 15];
  for (int shift = 50; shift >= 0; shift -= 10) {
    out = put_pair(out, kSortablePairs, value >> shift);
  }
  return out;
}

char* put_cid(char* out, std::uint64_t hash) {
  out = put(out, "bafyrei");
  for (int part = 0; part < 5; ++part) {
    std::uint64_t bits = mix(mix(hash) + static_cast<std::uint64_t>(part));
    const int count = part < 4 ? 6 : 2;
    for (int i = 0; i < count; ++i, bits >>= 10) out = put_pair(out, kBase32Pairs, bits);
  }
  return out;
}

char* put_time(char* out, std::int64_t time_us, int digits) {
  // Civil from days: Howard Hinnant's algorithm.
  const std::int64_t seconds = time_us / 1'000'000;
  const std::int64_t z = seconds / 86'400 + 719'468;
  const std::int64_t era = z / 146'097;
  const auto doe = static_cast<unsigned>(z - era * 146'097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned day = doy - (153 * mp + 2) / 5 + 1;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  const auto year =
      static_cast<unsigned>(static_cast<std::int64_t>(yoe) + era * 400) + (month <= 2 ? 1U : 0U);
  const auto second = static_cast<unsigned>(seconds % 86'400);
  out = put_two(out, year / 100 % 100);
  out = put_two(out, year % 100);
  out = put(out, '-');
  out = put_two(out, month);
  out = put(out, '-');
  out = put_two(out, day);
  out = put(out, 'T');
  out = put_two(out, second / 3600);
  out = put(out, ':');
  out = put_two(out, second / 60 % 60);
  out = put(out, ':');
  out = put_two(out, second % 60);
  out = put(out, '.');
  auto fraction = static_cast<unsigned>(time_us % 1'000'000);
  if (digits == 3) {
    fraction /= 1000;
  } else {
    out = put(out, static_cast<char>('0' + fraction / 100'000));
    out = put_two(out, fraction / 1000 % 100);
    fraction %= 1000;
  }
  out = put(out, static_cast<char>('0' + fraction / 100));
  out = put_two(out, fraction % 100);
  return put(out, 'Z');
}

char* put_flag(char* out, std::string_view code) {
  for (const char letter : code.substr(0, 2)) {
    out = put(out, "\xf0\x9f\x87");
    out = put(out, static_cast<char>(0xa6 + (letter - 'A')));
  }
  return out;
}

}  // namespace geotally::feedgen
