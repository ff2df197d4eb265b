#include "store/remains.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include <fmt/format.h>

namespace geotally::store {
namespace {

using tally::Row;
using tally::RowId;
using tally::RowKind;

std::uint64_t counted_in(const Row& row) {
  std::uint64_t sum = 0;
  for (const std::uint64_t posts : row.posts) sum += posts;
  for (const std::uint32_t deleted : row.deleted) sum += deleted;
  return sum;
}

std::uint64_t counted_in(const CountryTotalsArray& countries) {
  std::uint64_t sum = 0;
  for (const tally::CountryTotals& total : countries) sum += total.posts + total.posts_deleted;
  return sum;
}

// Whether `a` is a later version of an account than `b`. All that is compared only grows, but for
// what an erasure takes.
bool later(const AccountRecord& a, const AccountRecord& b) {
  const auto age = [](const AccountRecord& record) {
    const tally::AccountState& state = record.state;
    const std::uint64_t newest =
        record.fence.empty() ? state.fence.floor : record.fence.front().revision;
    const bool erased = state.erased() || (state.flags == 0 && state.posts == 0);
    return std::tuple(newest, record.details.status_time_us, record.details.identity_time_us,
                      erased, state.posts, state.newest_key, state.fence.floor,
                      record.fence.size());
  };
  return age(a) > age(b);
}

}  // namespace

Remains::Remains(const std::string& data_dir, const std::string& scratch, Rebuilt& out)
    : data_dir_(data_dir), out_(out), salvage_(data_dir, scratch) {
  for (const char* name : kFamilyNames) out_.families.push_back({name, 0, 0, 0, 0});
  out_.manifest_lost = !salvage_.opened();
  read_default();
  read_cells();
  read_days();
  read_gaps();
  read_cities();
  find_watermark();
}

template <typename Take>
void Remains::read(Family which, Take take) {
  Rebuilt::Family& count = family(which);
  count.kept = count.invalid = 0;
  salvage_.for_each(which, [&](const Salvage::Record& record) {
    bool valid = false;
    for (const std::string& version : record.versions) {
      valid = take(record.key, version) || valid;
    }
    ++(valid ? count.kept : count.invalid);
  });
  count.unreadable = salvage_.unreadable(which);
}

void Remains::read_default() {
  const auto advice = "restore a backup instead (geotally restore)";
  // It only rises.
  std::optional<std::uint64_t> format;
  for (const std::string& bytes : salvage_.get(kFormatKey)) {
    std::uint64_t version = 0;
    if (parse_number_key(bytes, version)) format = std::max(format.value_or(0), version);
  }
  const std::string name = fmt::format("store {}", data_dir_);
  if (!format) {
    throw Refused(fmt::format("{}: its format number cannot be read; {}", name, advice));
  }
  if (!is_read(*format)) throw Refused(other_format(name, *format));
  const std::vector<std::string> seeds = salvage_.get(kSeedKey);
  if (seeds.empty() || !parse_number_key(seeds.front(), seed)) {
    throw Refused(fmt::format(
        "store {}: its seed cannot be read, without which no account is known again; {}", data_dir_,
        advice));
  }
  Rebuilt::Family& count = family(kDefault);
  count.kept = 2;
  bool found = false;
  for (const std::string& bytes : salvage_.get(kCommitKey)) {
    CommitRecord record;
    if (!decode_commit(bytes, record)) continue;
    if (!found || record.number > commit.number) commit = record;
    found = true;
  }
  refuse_unknown_network(name, commit);
  for (const std::string& bytes : salvage_.get(kCountriesKey)) {
    CountryTotalsArray totals;
    if (decode_countries(bytes, totals)) countries.offer(counted_in(totals), totals);
  }
  for (const std::string& bytes : salvage_.get(kBaseKey)) {
    CounterBase base;
    if (decode_base(bytes, base)) floor = std::max(floor, base.floor);
  }
  if (salvage_.log_broken()) {
    CommitRecord logged;
    const auto bytes = salvage_.logged(kCommitKey);
    ahead = !bytes || !decode_commit(*bytes, logged) || logged.number < commit.number;
  }
  ++(found ? count.kept : count.missing);
  ++(countries.empty() ? count.missing : count.kept);
  count.unreadable = salvage_.unreadable(kDefault);
}

void Remains::read_cells() {
  read(kCells, [this](std::string_view key, std::string_view bytes) {
    if (is_unknown_row_key(key)) return true;
    RowId id;
    Row row;
    if (!parse_row_key(key, id) || !decode_row(bytes, id.kind, row)) return false;
    const std::uint64_t counted = counted_in(row);
    rows[id].offer(counted, std::move(row));
    return true;
  });
}

void Remains::read_days() {
  read(kDays, [this](std::string_view key, std::string_view bytes) {
    std::uint64_t day = 0;
    ClosingHead head;
    std::vector<tally::DayClosing> closing;
    if (!parse_number_key(key, day) || !decode_closing(bytes, closing, head)) return false;
    auto& stored = closings[static_cast<std::int64_t>(day)];
    // Written again only when more of the day turns out to be missing.
    if (stored.second.empty() || head.gap_us > stored.first.gap_us) {
      stored = {head, std::move(closing)};
    }
    return true;
  });
}

void Remains::read_gaps() {
  read(kGaps, [this](std::string_view key, std::string_view bytes) {
    std::uint64_t number = 0;
    Gap gap;
    if (!parse_number_key(key, number) || !decode_gap(bytes, gap)) return false;
    gaps[number] = std::move(gap);
    return true;
  });
}

void Remains::read_cities() {
  read(kCities, [this](std::string_view key, std::string_view bytes) {
    std::uint32_t city = 0;
    tally::CityTotals total;
    if (!parse_city_key(key, city) || !decode_city(bytes, total)) return false;
    cities[city].offer(total.posts, total);
    return true;
  });
}

void Remains::for_each_account(const Visit& visit) {
  Rebuilt::Family& count = family(kAccounts);
  count.kept = count.invalid = 0;
  salvage_.for_each(kAccounts, [&](const Salvage::Record& found) {
    tally::AccountKey key = 0;
    std::optional<AccountRecord> latest;
    for (const std::string& bytes : found.versions) {
      AccountRecord record;
      if (!parse_account_key(found.key, key) || !decode_account(bytes, record)) continue;
      if (!latest || later(record, *latest)) latest = std::move(record);
    }
    if (latest) adopt_format_1(*latest, watermark_us);
    ++(latest ? count.kept : count.invalid);
    if (latest) visit(key, *latest, found.latest);
  });
}

void Remains::for_each_passed_over(const Copy& copy) {
  for (const std::string& key : salvage_.keys()) {
    if (is_known_key(key)) continue;
    const std::vector<std::string> versions = salvage_.get(key);
    if (versions.empty()) continue;
    copy(kDefault, key, versions.back());
    ++family(kDefault).kept;
  }
  salvage_.for_each(kCells, [&](const Salvage::Record& record) {
    if (is_unknown_row_key(record.key)) copy(kCells, record.key, record.versions.back());
  });
  for (const Family which : {kPast, kHistory}) {
    salvage_.for_each(which, [&](const Salvage::Record& record) {
      copy(which, record.key, record.versions.back());
      ++family(which).kept;
    });
    family(which).unreadable = salvage_.unreadable(which);
  }
}

// That of the commit; where that record may be an old one, rows and accounts may know better.
void Remains::find_watermark() {
  watermark_us = commit.watermark_us;
  for (const auto& [id, row] : rows) {
    if (id.kind != RowKind::kSecond) continue;
    watermark_us = std::max(watermark_us, id.bucket * tally::kMicrosPerSecond);
  }
  if (watermark_us == 0) {
    for_each_account([this](tally::AccountKey, const AccountRecord& record, bool) {
      watermark_us = std::max(watermark_us, record.state.last_post_s * tally::kMicrosPerSecond);
    });
  }
  if (watermark_us == 0) {
    throw Refused(fmt::format("store {}: nothing of what it counted can be read; {}", data_dir_,
                              "restore a backup instead (geotally restore)"));
  }
}

}  // namespace geotally::store
