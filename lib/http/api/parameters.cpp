#include "http/api/parameters.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "http/api/json.h"
#include "log/line.h"

namespace geotally::http {
namespace {

/// What a client sent, fit to be shown to it again.
std::string shown(std::string_view text) {
  constexpr std::size_t kShownMax = 40;
  return json_string(text.substr(0, kShownMax));
}

}  // namespace

ParameterReader::ParameterReader(const Parameters& parameters,
                                 std::initializer_list<std::string_view> names)
    : parameters_(parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string& name = parameters[i].first;
    if (name == "format") continue;  // every answer has it
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      complain(fmt::format("unknown parameter {}; there are: {}{}format", shown(name),
                           fmt::join(names, ", "), names.size() > 0 ? ", " : ""));
    }
    for (std::size_t n = 0; n < i; ++n) {
      if (parameters[n].first == name) complain("parameter " + shown(name) + " is given twice");
    }
  }
}

void ParameterReader::complain(std::string text) {
  if (complaint_.empty()) complaint_ = std::move(text);
}

std::optional<std::string_view> ParameterReader::find(std::string_view name) const {
  for (const auto& [key, value] : parameters_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::size_t ParameterReader::choice(std::string_view name,
                                    std::span<const std::string_view> choices,
                                    std::size_t fallback) {
  const auto text = find(name);
  if (!text) return fallback;
  const auto found = std::ranges::find(choices, *text);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  complain(
      fmt::format("unknown {} {}; there are: {}", name, shown(*text), fmt::join(choices, ", ")));
  return fallback;
}

std::uint64_t ParameterReader::number(std::string_view name, std::uint64_t fallback,
                                      std::uint64_t min, std::uint64_t max) {
  const auto text = find(name);
  if (!text) return fallback;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc{} && end == text->data() + text->size() && !text->empty() &&
      value >= min && value <= max) {
    return value;
  }
  complain(fmt::format("{} must be a number from {} to {}, not {}", name, min, max, shown(*text)));
  return fallback;
}

std::optional<std::int32_t> ParameterReader::day(std::string_view name) {
  const auto text = find(name);
  if (!text) return std::nullopt;
  const auto parsed = parse_day(*text);
  if (!parsed) complain(fmt::format("{} must be a day, YYYY-MM-DD, not {}", name, shown(*text)));
  return parsed;
}

const Region& ParameterReader::region(std::string_view name) {
  const Region& world = *find_region(1);
  const auto text = find(name);
  if (!text) return world;
  if (const Region* region = parse_region(*text)) return *region;
  std::string known;
  for (const Region& region : regions()) {
    known +=
        fmt::format("{}{} {}", known.empty() ? "" : ", ", code_text(region.code), region.name_en);
  }
  complain(fmt::format("unknown region {}; by UN M49 there are: {}", shown(*text), known));
  return world;
}

std::optional<Country> ParameterReader::country(std::string_view name) {
  const auto text = find(name);
  if (!text) return std::nullopt;
  const auto country = Country::parse(*text);
  if (!country) complain(unknown_country(*text));
  return country;
}

std::string unknown_country(std::string_view text) {
  std::string known;
  for (std::size_t i = 0; i < Country::count(); ++i) {
    known += (i > 0 ? " " : "") + std::string(Country::from_index(i).code());
  }
  return fmt::format("unknown country {}; by ISO 3166-1 alpha-2 there are: {}", shown(text), known);
}

std::optional<std::int32_t> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto field = [&](std::size_t at, std::size_t width) -> int {
    int value = 0;
    for (std::size_t i = at; i < at + width; ++i) {
      if (text[i] < '0' || text[i] > '9') return -1;
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  const int year = field(0, 4);
  const int month = field(5, 2);
  const int day = field(8, 2);
  if (year < 1970 || month < 1 || day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  return static_cast<std::int32_t>(std::chrono::sys_days{date}.time_since_epoch().count());
}

std::string day_text(std::int32_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string time_text(std::int64_t time_us) {
  if (time_us == 0) return "";
  return log::timestamp(std::chrono::system_clock::time_point(std::chrono::microseconds(time_us)));
}

std::int32_t day_of(std::int64_t time_us) {
  return static_cast<std::int32_t>(time_us / 86'400'000'000);
}

}  // namespace geotally::http
