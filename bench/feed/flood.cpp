// The world whose events are computed, and what options every world shares.
#include <algorithm>
#include <stdexcept>

#include "feed/random.h"
#include "feed/world.h"

namespace geotally::feedgen {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kDay = 24 * kHour;

}  // namespace

void check_options(const WorldOptions& options) {
  if (options.accounts < 1 || options.accounts > 100'000'000) {
    throw std::invalid_argument("--accounts: from 1 to 100000000");
  }
  if (options.events < 1) throw std::invalid_argument("--events: at least 1");
  if (!(options.days > 0) || options.days > 5000) {
    throw std::invalid_argument("--days: more than 0, at most 5000");
  }
  if (options.guard_us < 0 || options.guard_us > 29 * kSecond) {
    throw std::invalid_argument("--guard: from 0 to 29 seconds");
  }
  if (options.end_us - static_cast<std::int64_t>(options.days * static_cast<double>(kDay)) <
      1'000'000'000'000'000 + 2 * kDay) {
    throw std::invalid_argument(
        "--end-time: the world would begin before 2001-09-11, where a "
        "cursor would be taken for a sequence number");
  }
}

Flood make_flood(const WorldOptions& options) {
  check_options(options);
  Flood flood;
  flood.countries = study_2012();
  flood.accounts = options.accounts;
  flood.events = options.events;
  flood.seed = options.seed;
  flood.only_posts = options.only_posts;
  flood.roll_call = options.roll_call;
  const double span_us = options.days * static_cast<double>(kDay);
  flood.begin_us = options.end_us - static_cast<std::int64_t>(span_us);
  flood.step_us = std::max(1.0, span_us / static_cast<double>(options.events));
  return flood;
}

Entry Flood::entry(std::uint64_t index) const {
  const std::uint64_t draw = mix(seed, index);
  Entry entry;
  entry.time_us = time_us(index);
  // Squared: some accounts write far more often than others.
  const double skew = static_cast<double>(draw >> 11) * 0x1.0p-53;
  entry.account = static_cast<std::uint32_t>(skew * skew * static_cast<double>(accounts));
  const bool calling = roll_call && index < accounts;
  if (calling) entry.account = static_cast<std::uint32_t>(index);
  const std::uint64_t kind = mix(draw) % (calling ? 45 : only_posts ? 70 : 100);
  if (kind < 45) {
    entry.kind = EntryKind::kPost;
  } else if (kind < 70) {
    entry.kind = EntryKind::kReply;
    entry.ref_account = static_cast<std::uint32_t>(draw % accounts);
    entry.ref_us = entry.time_us - kHour;
  } else if (kind < 75) {
    entry.kind = EntryKind::kPostDelete;
    entry.ref_us = entry.time_us - kHour;
  } else {
    entry.kind = EntryKind::kLike;
    entry.ref_account = static_cast<std::uint32_t>(draw % accounts);
    entry.ref_us = entry.time_us - kHour;
  }
  if (entry.kind == EntryKind::kPost || entry.kind == EntryKind::kReply) {
    const auto known = countries.size() - 1;
    const auto country = static_cast<std::uint8_t>(mix(seed + 1, entry.account) % known *
                                                   (mix(seed + 2, entry.account) % known) / known);
    entry.country = country;
    entry.language = country;
    entry.says_language = true;
    entry.hint = Hint::kRegion;
  }
  return entry;
}

}  // namespace geotally::feedgen
