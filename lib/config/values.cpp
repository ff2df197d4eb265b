#include "config/values.h"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace geotally::config {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kDay = 86'400;

/// The whole of `text` as a number without a sign.
std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// A host name or an address without brackets.
bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](char c) {
    return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == ':';
  });
}

/// Takes digits off the front: exactly `width`.
std::optional<int> take_digits(std::string_view& text, std::size_t width) {
  if (text.size() < width) return std::nullopt;
  const auto number = parse_number(text.substr(0, width));
  if (!number) return std::nullopt;
  text.remove_prefix(width);
  return static_cast<int>(*number);
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

/// RFC 3339, section 5.6; digits of the second beyond the sixth are cut off.
std::optional<std::int64_t> parse_rfc3339_us(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || !(take(text, 'T') || take(text, 't') || take(text, ' '))) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ':')) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;

  std::int64_t fraction_us = 0;
  if (take(text, '.')) {
    std::int64_t unit = 100'000;
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      fraction_us += (text.front() - '0') * unit;
      unit /= 10;
      text.remove_prefix(1);
    }
  }

  std::int64_t offset_s = 0;
  if (!take(text, 'Z') && !take(text, 'z')) {
    if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
    const std::int64_t sign = text.front() == '+' ? 1 : -1;
    text.remove_prefix(1);
    const auto hours = take_digits(text, 2);
    if (!hours || !take(text, ':')) return std::nullopt;
    const auto minutes = take_digits(text, 2);
    if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    offset_s = sign * (*hours * kHour + *minutes * kMinute);
  }
  if (!text.empty()) return std::nullopt;

  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *year < 1970) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t seconds = days * kDay + *hour * kHour + *minute * kMinute + *second - offset_s;
  if (seconds < 0) return std::nullopt;
  return seconds * 1'000'000 + fraction_us;
}

}  // namespace

std::optional<WindowLength> parse_window(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  const auto number = parse_number(text.substr(0, text.size() - 1));
  if (!number || *number == 0 || *number > 90 * kDay) return std::nullopt;
  std::int64_t unit = 0;
  switch (text.back()) {
    case 's':
      unit = 1;
      break;
    case 'm':
      unit = kMinute;
      break;
    case 'h':
      unit = kHour;
      break;
    case 'd':
      unit = kDay;
      break;
    default:
      return std::nullopt;
  }
  const std::int64_t seconds = *number * unit;
  const std::int64_t bucket = seconds <= 15 * kMinute ? 1 : seconds <= kDay ? kMinute : kHour;
  if (seconds > 90 * kDay || seconds % bucket != 0) return std::nullopt;
  return WindowLength{std::string(text), seconds};
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const auto port = parse_number(text.substr(colon + 1));
  if (!port || *port > 65'535) return std::nullopt;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;  // an IPv6 address without brackets: the port would be a guess
  }
  if (!is_host(host)) return std::nullopt;
  return Endpoint{std::string(host), static_cast<std::uint16_t>(*port)};
}

std::optional<Start> parse_start(std::string_view text) {
  if (text == "live") return Start{};
  if (text == "oldest") return Start{Start::Kind::kOldest, 0, "oldest"};
  const auto time_us = parse_rfc3339_us(text);
  if (!time_us) return std::nullopt;
  return Start{Start::Kind::kTime, *time_us, std::string(text)};
}

std::string check_url(std::string_view text) {
  if (text.starts_with("ws://")) {
    text.remove_prefix(5);
  } else if (text.starts_with("wss://")) {
    text.remove_prefix(6);
  } else {
    return "must begin with ws:// or wss://";
  }
  if (text.size() > 2'000) return "must be shorter than 2,000 bytes";
  if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c == 0x7f || c == '#'; })) {
    return "must not hold white space, control characters or '#'";
  }
  const std::string_view authority = text.substr(0, text.find_first_of("/?"));
  if (authority.find('@') != std::string_view::npos) {
    return "must not hold a user or a password: a token belongs in the file that feed.token_file "
           "names";
  }
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const std::string with_port = std::string(authority) + (has_port ? "" : ":80");
  const auto endpoint = parse_endpoint(with_port);
  if (!endpoint || endpoint->port == 0)
    return "must name a host, and a port from 1 to 65535 if any";
  return "";
}

std::string check_collection(std::string_view text) {
  const std::string_view name = text.ends_with(".*") ? text.substr(0, text.size() - 2) : text;
  const bool ok =
      !name.empty() && name.size() <= 317 && name.front() != '.' && name.back() != '.' &&
      name.find('.') != std::string_view::npos &&
      std::ranges::all_of(name, [](char c) { return is_alnum(c) || c == '.' || c == '-'; });
  return ok ? ""
            : "must be a collection such as app.bsky.feed.post, or a prefix such as app.bsky.*";
}

std::string check_host(std::string_view text) {
  return is_host(text) ? "" : "must be a host name or an address, without a port";
}

std::string check_path(std::string_view text) {
  if (text.size() > 4'000) return "must be shorter than 4,000 bytes";
  return text.find('\0') == std::string_view::npos ? "" : "must not hold a NUL";
}

std::string check_not_empty_path(std::string_view text) {
  return text.empty() ? "must not be empty" : check_path(text);
}

}  // namespace geotally::config
