// How long a server asks to be left alone. Source: RFC 9110, sections 10.2.3 and 5.6.7.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace geotally::feed {

/// The wait that a Retry-After header means at `now_s` (seconds since the epoch), never below 0:
/// a number of seconds, or a date in any of the three forms that HTTP has. Nothing for what is
/// neither. A number that is too large for any wait is the largest one.
[[nodiscard]] std::optional<std::chrono::seconds> parse_retry_after(const std::string& text,
                                                                    std::int64_t now_s);

}  // namespace geotally::feed
