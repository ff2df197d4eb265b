// Reading the values that are more than a number or a word. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"

namespace geotally::config {

/// "15m": a positive number and s, m, h or d; a multiple of 1 s up to 15 min, of 60 s up to
/// 24 h, of 3,600 s up to 90 d (DEFINITIONS: tiers); nothing otherwise.
[[nodiscard]] std::optional<WindowLength> parse_window(std::string_view text);
/// "HOST:PORT" or "[IPV6]:PORT".
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);
/// "live", "oldest", or an RFC 3339 time with its zone, from 1970 to 9999.
[[nodiscard]] std::optional<Start> parse_start(std::string_view text);

// Each says what is wrong with an entry, or "" when nothing is. None repeats the value: it may
// hold what somebody took for the place of a password.
[[nodiscard]] std::string check_url(std::string_view text);
[[nodiscard]] std::string check_collection(std::string_view text);
[[nodiscard]] std::string check_host(std::string_view text);
[[nodiscard]] std::string check_path(std::string_view text);
[[nodiscard]] std::string check_not_empty_path(std::string_view text);

}  // namespace geotally::config
