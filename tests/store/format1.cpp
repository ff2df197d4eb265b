#include "format1.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include <rocksdb/db.h>

namespace geotally::store::format1 {
namespace {

template <typename Integer>
void put(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i)));
  }
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void put_signed(std::string& out, std::int64_t value) {
  put_varint(out,
             (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

void put_country(std::string& out, std::size_t index) {
  out.append(Country::from_index(index).code());
}

template <std::size_t bytes>
std::string big_endian(std::uint64_t value) {
  std::string out;
  for (std::size_t i = bytes; i > 0; --i) {
    out.push_back(static_cast<char>(value >> (8 * (i - 1))));
  }
  return out;
}

std::string key64(std::uint64_t value) { return big_endian<8>(value); }

void require(const rocksdb::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "a store of format 1 cannot be made: %s\n", status.ToString().c_str());
  std::abort();
}

}  // namespace

void encode_account(const AccountRecord& record, std::string& out) {
  const tally::AccountState& state = record.state;
  const tally::AccountDetails& details = record.details;
  std::size_t evidence_bytes = record.evidence.bytes.size();
  while (evidence_bytes > 0 && record.evidence.bytes[evidence_bytes - 1] == 0) --evidence_bytes;
  const bool identity = details.identity_time_us != 0 || details.identity_sequence != 0;
  const bool status = details.status_time_us != 0 || details.status_sequence != 0;
  const bool posts = state.posts != 0;
  const bool declared = state.declared.known() || state.address_key != 0;
  const bool country =
      state.evidence != EvidenceKind::kNone || state.country.known() || state.confidence != 0;
  put(out, static_cast<std::uint8_t>((identity ? 1 : 0) | (status ? 2 : 0) | (posts ? 4 : 0) |
                                     (declared ? 8 : 0) | (country ? 16 : 0) |
                                     (evidence_bytes != 0 ? 32 : 0) |
                                     (record.fence.empty() ? 0 : 64) | (state.city != 0 ? 128 : 0)));
  put(out, static_cast<std::uint8_t>(state.flags & 15));
  put(out, state.first_day);
  put_varint(out, state.fence.floor);
  if (identity) {
    put(out, details.identity_time_us);
    put(out, details.identity_sequence);
  }
  if (status) {
    put(out, details.status_time_us);
    put(out, details.status_sequence);
  }
  if (posts) {
    put(out, state.last_post_s);
    put_varint(out, state.posts);
    put_varint(out, state.days);
  }
  if (declared) {
    put_country(out, state.declared.index());
    put(out, state.address_key);
  }
  if (country) {
    put_country(out, state.country.index());
    put(out, static_cast<std::uint8_t>(state.evidence));
    put(out, state.confidence);
  }
  if (evidence_bytes != 0) {
    put(out, static_cast<std::uint8_t>(evidence_bytes));
    for (std::size_t i = 0; i < evidence_bytes; ++i) put(out, record.evidence.bytes[i]);
  }
  if (!record.fence.empty()) {
    put_varint(out, record.fence.size());
    for (const tally::FenceEntry& entry : record.fence) {
      put(out, entry.revision);
      put(out, entry.tag);
      put(out, entry.seen_s);
    }
  }
  if (state.city != 0) put_varint(out, state.city);
}

void encode_row(tally::RowKind kind, const tally::Row& row, std::string& out) {
  const bool days = kind == tally::RowKind::kDay;
  for (std::size_t i = 0; i < Country::count(); ++i) {
    const std::uint32_t deleted = days ? row.deleted[i] : 0;
    if (row.posts[i] == 0 && row.accounts[i] == 0 && deleted == 0) continue;
    put_country(out, i);
    put_varint(out, row.posts[i]);
    put_varint(out, row.accounts[i]);
    if (days) put_varint(out, deleted);
  }
}

void encode_countries(const CountryTotalsArray& countries, std::string& out) {
  for (std::size_t i = 0; i < Country::count(); ++i) {
    const tally::CountryTotals& total = countries[i];
    if (total == tally::CountryTotals{}) continue;
    put_country(out, i);
    for (const std::uint64_t value : {total.posts, total.posts_deleted, total.accounts, total.never,
                                      total.once, total.confidence}) {
      put_varint(out, value);
    }
    for (const std::uint64_t accounts : total.evidence) put_varint(out, accounts);
  }
}

void encode_closing(const std::vector<tally::DayClosing>& closing, std::int64_t gap_us,
                    std::string& out) {
  put_signed(out, gap_us);
  for (std::size_t i = 0; i < closing.size(); ++i) {
    const tally::DayClosing& row = closing[i];
    if (row.accounts == 0) continue;
    put_country(out, i);
    put_varint(out, row.accounts);
    for (const std::uint64_t value : row.engagement) put_varint(out, value);
    for (const std::uint64_t value : row.active) put_varint(out, value);
    for (const std::uint64_t value : row.evidence) put_varint(out, value);
  }
}

void encode_commit(const CommitRecord& commit, std::string& out) {
  put_varint(out, commit.number);
  for (const std::int64_t value :
       {commit.committed_at_us, commit.edge_us, commit.watermark_us, commit.observed_since_us,
        commit.ingested_until_us, static_cast<std::int64_t>(commit.gaps), commit.gap_us,
        commit.next_day_to_close}) {
    put_signed(out, value);
  }
  out.append(commit.cursor);
}

bool is_account(std::string_view bytes) {
  return bytes.size() < 2 || (static_cast<std::uint8_t>(bytes[1]) & 0x80) == 0;
}
bool is_countries(std::string_view bytes) { return bytes.empty() || bytes[0] >= 'A'; }
bool is_closing(std::string_view bytes) { return bytes.empty() || (bytes[0] & 1) == 0; }
bool is_commit(std::string_view bytes) { return bytes.empty() || bytes[0] != 0; }

void write(const std::string& directory, const Contents& contents) {
  std::filesystem::create_directories(directory);
  constexpr std::array kNames = {"default", "accounts", "cells", "days", "gaps", "due", "cities"};
  enum { kDefault, kAccounts, kCells, kDays, kGaps, kDue, kCities };
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const char* name : kNames) {
    rocksdb::ColumnFamilyOptions family;
    family.compression = rocksdb::kNoCompression;
    descriptors.emplace_back(name, family);
  }
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  rocksdb::DB* raw = nullptr;
  require(rocksdb::DB::Open(options, directory, descriptors, &families, &raw));
  const std::unique_ptr<rocksdb::DB> db(raw);

  rocksdb::WriteBatch batch;
  std::string bytes;
  const auto put_record = [&](int family, const std::string& key) {
    batch.Put(families[static_cast<std::size_t>(family)], key, bytes);
    bytes.clear();
  };
  bytes = key64(1);
  put_record(kDefault, "format");
  bytes = key64(contents.seed);
  put_record(kDefault, "seed");
  format1::encode_commit(contents.commit, bytes);
  put_record(kDefault, "commit");
  for (const auto& [key, record] : contents.accounts) {
    format1::encode_account(record, bytes);
    put_record(kAccounts, key64(key));
  }
  if (contents.totals != nullptr) {
    format1::encode_countries(contents.totals->countries(), bytes);
    put_record(kDefault, "countries");
    for (const auto& [id, row] : contents.totals->rows()) {
      format1::encode_row(id.kind, *row, bytes);
      put_record(kCells, std::string(1, static_cast<char>(id.kind)) +
                             big_endian<4>(static_cast<std::uint64_t>(id.bucket)));
    }
    for (const auto& [city, total] : contents.totals->cities()) {
      if (total == tally::CityTotals{}) continue;
      put_varint(bytes, total.posts);
      put_varint(bytes, total.accounts);
      put_record(kCities, big_endian<4>(city));
    }
  }
  for (const DayClosed& day : contents.days) {
    format1::encode_closing(day.closing, day.head.gap_us, bytes);
    put_record(kDays, key64(static_cast<std::uint64_t>(day.day)));
  }
  std::uint64_t number = 0;
  for (const Gap& gap : contents.gaps) {
    put_signed(bytes, gap.from_us);
    put_signed(bytes, gap.to_us);
    bytes.append(gap.cause);
    put_record(kGaps, key64(number++));
  }
  for (const Due& due : contents.due) {
    put_record(kDue, key64(static_cast<std::uint64_t>(due.day)) + key64(due.key));
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  require(db->Write(synced, &batch));
  for (rocksdb::ColumnFamilyHandle* family : families) db->DestroyColumnFamilyHandle(family);
  require(db->Close());
}

}  // namespace geotally::store::format1
