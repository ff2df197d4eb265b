#include "log/log.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include <systemd/sd-journal.h>

#include "base/check.h"
#include "log/line.h"

namespace geotally::log {
namespace {

int priority(Level level) {
  switch (level) {
    case Level::kDebug:
      return LOG_DEBUG;
    case Level::kInfo:
      return LOG_INFO;
    case Level::kWarning:
      return LOG_WARNING;
    case Level::kError:
      return LOG_ERR;
    case Level::kFatal:
      return LOG_CRIT;
  }
  return LOG_INFO;
}

// A pipe or a file takes a line of this size in one piece, so lines of several threads
// never mix; only a short write needs the loop.
bool write_all(int descriptor, std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(descriptor, line.data(), line.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    line.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool write_journal(const EventInfo& row, std::initializer_list<Field> fields,
                   std::uint64_t suppressed) {
  std::vector<std::string> entries;
  entries.reserve(fields.size() + 5);
  std::string message(row.body);
  for (const Field& field : fields) {
    message += ' ';
    message += field.key;
    message += '=';
    append_plain(message, field.value);
    std::string entry = "GEOTALLY_";
    for (const char c : field.key) entry += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    entry += '=';
    append_plain(entry, field.value);
    entries.push_back(std::move(entry));
  }
  entries.push_back("MESSAGE=" + message);
  entries.push_back(fmt::format("PRIORITY={}", priority(row.level)));
  entries.push_back(fmt::format("GEOTALLY_EVENT={}", row.name));
  if (!row.message_id.empty()) entries.push_back(fmt::format("MESSAGE_ID={}", row.message_id));
  if (suppressed != 0) entries.push_back(fmt::format("GEOTALLY_SUPPRESSED={}", suppressed));
  std::vector<iovec> parts;
  parts.reserve(entries.size());
  for (std::string& entry : entries) parts.push_back({entry.data(), entry.size()});
  return sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) >= 0;
}

Format resolve(const Options& options) {
  if (options.format != Format::kAuto) return options.format;
  const char* stream = std::getenv("JOURNAL_STREAM");  // NOLINT(concurrency-mt-unsafe): start-up
  return choose_format(options.descriptor, stream == nullptr ? "" : stream);
}

}  // namespace

Format choose_format(int descriptor, std::string_view journal_stream) {
  struct stat status {};
  if (!journal_stream.empty() && ::fstat(descriptor, &status) == 0 &&
      journal_stream == fmt::format("{}:{}", status.st_dev, status.st_ino)) {
    return Format::kJournal;
  }
  return ::isatty(descriptor) == 1 ? Format::kLogfmt : Format::kJson;
}

Logger::Logger(Options options)
    : descriptor_(options.descriptor),
      format_(resolve(options)),
      strict_(options.strict),
      refill_ns_(std::max<std::int64_t>(1, std::chrono::nanoseconds(options.refill).count())),
      burst_ns_(refill_ns_ * std::max<std::int64_t>(1, options.burst)),
      level_min_(options.level_min) {}

// Generic cell rate algorithm (ITU-T I.371): one number per event says when its bucket
// would be full again; a line moves it by one refill, and fits while it stays within the
// burst. One compare-and-swap, no lock.
bool Logger::allowed(Limit& limit, std::int64_t now_ns) const {
  std::int64_t full_at = limit.full_at.load(std::memory_order_relaxed);
  while (true) {
    const std::int64_t next = std::max(full_at, now_ns) + refill_ns_;
    if (next - now_ns > burst_ns_) return false;
    if (limit.full_at.compare_exchange_weak(full_at, next, std::memory_order_relaxed)) return true;
  }
}

void Logger::write(Event event, std::initializer_list<Field> fields) {
  if (!strict_ && info(event).level < level_min_.load(std::memory_order_relaxed)) return;
  write_at(event, fields, std::chrono::system_clock::now(), std::chrono::steady_clock::now());
}

void Logger::write_at(Event event, std::initializer_list<Field> fields,
                      std::chrono::system_clock::time_point now,
                      std::chrono::steady_clock::time_point steady) {
  const EventInfo& row = info(event);
  if (strict_) {
    for (const Field& field : fields) {
      GEOTALLY_CHECK(lists(row, field.key), "a line has a field that its event does not list");
    }
  }
  if (row.level < level_min_.load(std::memory_order_relaxed)) return;
  Limit& limit = limits_[static_cast<std::size_t>(event)];
  const std::int64_t now_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(steady.time_since_epoch()).count();
  if (row.level != Level::kFatal && !allowed(limit, now_ns)) {
    limit.held_back.fetch_add(1, std::memory_order_relaxed);
    suppressed_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const std::uint64_t held_back = limit.held_back.exchange(0, std::memory_order_relaxed);
  bool written = false;
  switch (format_) {
    case Format::kJournal:
      written = write_journal(row, fields, held_back);
      break;
    case Format::kLogfmt:
      written = write_all(descriptor_, logfmt_line(row, fields, held_back, now));
      break;
    default:
      written = write_all(descriptor_, json_line(row, fields, held_back, now));
      break;
  }
  auto& count = written ? written_[static_cast<std::size_t>(row.level)] : suppressed_;
  count.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace geotally::log
