#include "feed/retry_after.h"

#include <algorithm>
#include <ctime>

namespace geotally::feed {
namespace {

// A year; more is not a wait.
constexpr std::int64_t kSecondsMax = 366LL * 86'400;

}  // namespace

std::optional<std::chrono::seconds> parse_retry_after(const std::string& text, std::int64_t now_s) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!text.empty() && std::all_of(text.begin(), text.end(), digit)) {
    std::int64_t seconds = 0;
    for (const char c : text) seconds = std::min(seconds * 10 + (c - '0'), kSecondsMax);
    return std::chrono::seconds(seconds);
  }
  // The program never leaves the C locale, whose names of days and months are HTTP's.
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
    std::tm date{};
    const char* end = ::strptime(text.c_str(), form, &date);
    if (end == nullptr || *end != '\0') continue;
    const std::int64_t wait_s = static_cast<std::int64_t>(::timegm(&date)) - now_s;
    return std::chrono::seconds(std::clamp<std::int64_t>(wait_s, 0, kSecondsMax));
  }
  return std::nullopt;
}

}  // namespace geotally::feed
