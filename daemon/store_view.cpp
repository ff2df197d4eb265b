#include "daemon/store_view.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "tally/windows.h"

namespace geotally {

void refuse_held(const std::string& directory) {
  const int file = ::open((directory + "/LOCK").c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool held = ::fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(file);
  if (held) {
    throw store::Refused(
        fmt::format("store {}: a daemon holds it; ask that one, with --url", directory));
  }
}

std::vector<http::DailyRow> daily_rows(const store::Store& store, std::int32_t from,
                                       std::int32_t to) {
  std::vector<http::DailyRow> rows;
  for (const store::Store::StoredDay& day : store.days(from, to)) {
    for (std::size_t i = 0; i < day.closing.size(); ++i) {
      const tally::DayClosing& closing = day.closing[i];
      http::DailyRow row;
      row.day = static_cast<std::int32_t>(day.day);
      row.country = Country::from_index(i);
      row.accounts = closing.accounts;
      row.accounts_new = day.counted.accounts[i];
      row.posts = day.counted.posts[i];
      row.posts_deleted = day.counted.deleted[i];
      if (row.accounts == 0 && row.accounts_new == 0 && row.posts == 0 && row.posts_deleted == 0) {
        continue;
      }
      row.engagement = closing.engagement;
      static_assert(http::DailyRow::kWindows == tally::kDayRowWindows.size());
      row.active = closing.active;
      row.evidence = closing.evidence;
      row.gap_us = day.head.gap_us;
      rows.push_back(row);
    }
  }
  return rows;
}

std::vector<http::Gap> newest_gaps(const store::Store& store, std::size_t limit) {
  std::vector<http::Gap> newest;
  const std::vector<Gap> gaps = store.gaps(0);
  for (std::size_t i = gaps.size(); i > 0 && newest.size() < limit; --i) {
    newest.push_back({gaps[i - 1], i});
  }
  return newest;
}

}  // namespace geotally
