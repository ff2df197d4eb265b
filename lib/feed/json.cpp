#include "feed/json.h"

#include <algorithm>
#include <array>

namespace geotally::feed {
namespace {

using Block [[gnu::vector_size(16)]] = unsigned char;

// Eight bytes as a number, summed without taking them apart: one frame has few blocks, and lane by
// lane the sum took longer than the count.
std::uint64_t sum_of_bytes(std::uint64_t bytes) {
  constexpr std::uint64_t kEven = 0x00ff00ff00ff00ff;
  const std::uint64_t pairs = (bytes & kEven) + (bytes >> 8 & kEven);
  return pairs * 0x0001000100010001 >> 48;
}

// How many of the bytes are '[' or '{', the padding behind them included up to a whole
// block: an upper bound.
std::size_t count_openers(std::string_view text) {
  std::size_t total = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    Block counts{};
    // A lane holds at most 255, so sum up before it can overflow.
    const std::size_t end = std::min(text.size(), at + 255 * sizeof(Block));
    for (; at < end; at += sizeof(Block)) {
      Block bytes;
      std::memcpy(&bytes, text.data() + at, sizeof bytes);
      counts -= static_cast<Block>((bytes | 0x20) == 0x7B);  // '[' | 0x20 is '{'
    }
    std::array<std::uint64_t, 2> halves{};
    std::memcpy(halves.data(), &counts, sizeof counts);
    total += sum_of_bytes(halves[0]) + sum_of_bytes(halves[1]);
  }
  return total;
}

}  // namespace

bool deeper_than(std::string_view text, std::size_t depth_max) {
  if (count_openers(text) <= depth_max) return false;
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > depth_max) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

Rejection to_rejection(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
    case simdjson::STRING_ERROR:
      return Rejection::kInvalidUtf8;
    case simdjson::INCORRECT_TYPE:
    case simdjson::NUMBER_ERROR:
    case simdjson::NUMBER_OUT_OF_RANGE:
      return Rejection::kInvalidField;
    case simdjson::DEPTH_ERROR:
      return Rejection::kTooDeep;
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC:
      return Rejection::kTooLarge;
    default:
      return Rejection::kMalformed;
  }
}

}  // namespace geotally::feed
