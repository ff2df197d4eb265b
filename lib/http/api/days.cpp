#include "http/api/days.h"

#include <algorithm>
#include <map>

namespace geotally::http {
namespace {

constexpr std::int32_t kChunkDays = 32;

}  // namespace

std::optional<Day> Days::at(std::int32_t day) const {
  std::optional<Day> found;
  each(day, day, [&](const Day& entry) { found = entry; });
  return found;
}

std::optional<Day> Days::newest(std::int32_t day) const {
  std::optional<Day> found;
  each(day - kChunkDays + 1, day, [&](const Day& entry) { found = entry; });
  return found;
}

void Days::each(std::int32_t from, std::int32_t to,
                const std::function<void(const Day&)>& visit) const {
  if (!sources_.daily_rows) return;
  for (; from <= to; from += kChunkDays) {
    std::map<std::int32_t, Day> days;
    for (DailyRow& row : sources_.daily_rows(from, std::min(to, from + kChunkDays - 1))) {
      Day& day = days[row.day];
      if (day.rows.empty()) {
        day.day = row.day;
        day.rows.resize(Country::count());
        for (std::size_t i = 0; i < day.rows.size(); ++i) {
          day.rows[i].day = row.day;
          day.rows[i].country = Country::from_index(i);
        }
      }
      day.gap_us = std::max(day.gap_us, row.gap_us);
      day.rows[row.country.index()] = row;
    }
    for (const auto& [number, day] : days) visit(day);
  }
}

}  // namespace geotally::http
