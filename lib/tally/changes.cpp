#include "tally/changes.h"

namespace geotally::tally {
namespace {

std::uint64_t key_of(RowKind kind, std::int64_t bucket) {
  return static_cast<std::uint64_t>(bucket) * kRowKinds + static_cast<std::size_t>(kind);
}

}  // namespace

Changes::Changes() = default;
Changes::Changes(Changes&&) noexcept = default;
Changes& Changes::operator=(Changes&&) noexcept = default;
Changes::~Changes() = default;

void Changes::set_watermark(std::int64_t watermark_s) {
  for (std::size_t i = 0; i < kRowKinds; ++i) {
    first_kept_[i] = first_kept(static_cast<RowKind>(i), watermark_s);
  }
}

CellChange* Changes::cell(RowKind kind, std::int64_t bucket, Country country) {
  const auto slot = static_cast<std::size_t>(kind);
  if (bucket < first_kept_[slot]) return nullptr;
  RowChange* row = latest_[slot];
  if (row == nullptr || row->bucket != bucket) {
    row = &this->row(kind, bucket);
    // Time goes forwards: what is asked for between two posts of now is where accounts come from.
    if (latest_[slot] == nullptr || bucket > latest_[slot]->bucket) latest_[slot] = row;
  }
  return &row->cells[country.index()];
}

const CellChange* Changes::find_last_post(Country country, std::uint32_t last_post_s) const {
  const auto row = index_.find(key_of(RowKind::kSecond, bucket_of(RowKind::kSecond, last_post_s)));
  return row == index_.end() ? nullptr : &row->second->cells[country.index()];
}

RowChange& Changes::row(RowKind kind, std::int64_t bucket) {
  RowChange*& row = index_[key_of(kind, bucket)];
  if (row == nullptr) {
    rows_.push_back(std::make_unique<RowChange>());
    row = rows_.back().get();
    row->kind = kind;
    row->bucket = bucket;
  }
  return *row;
}

void Changes::move(const Standing& before, const Standing& after) {
  if (before.counted && after.counted && before.country == after.country) {
    // The usual case by far: only what differs.
    CountryChange& change = countries_[after.country.index()];
    change.never += static_cast<int>(after.never) - static_cast<int>(before.never);
    change.once += static_cast<int>(after.once) - static_cast<int>(before.once);
    change.confidence += after.confidence - before.confidence;
    --change.evidence[static_cast<std::size_t>(before.evidence)];
    ++change.evidence[static_cast<std::size_t>(after.evidence)];
    if (before.city != after.city) {
      if (before.city != 0) --city(before.city).accounts;
      if (after.city != 0) ++city(after.city).accounts;
    }
    if (before.lapse_day != after.lapse_day) {
      const auto lapse = [&](std::uint32_t day, std::int32_t sign) {
        if (day == 0) return;
        if (CellChange* cell = this->cell(RowKind::kLapse, day, after.country)) {
          cell->accounts += sign;
        }
      };
      lapse(before.lapse_day, -1);
      lapse(after.lapse_day, +1);
    }
    if (before.last_post_s == after.last_post_s) return;
    for (const RowKind tier : kTiers) {
      const std::int64_t from = bucket_of(tier, before.last_post_s);
      const std::int64_t to = bucket_of(tier, after.last_post_s);
      if (from == to && before.last_post_s != 0) continue;
      if (before.last_post_s != 0) {
        if (CellChange* cell = this->cell(tier, from, after.country)) --cell->accounts;
      }
      if (CellChange* cell = this->cell(tier, to, after.country)) ++cell->accounts;
    }
    return;
  }
  add(before, -1);
  add(after, +1);
}

void Changes::add(const Standing& standing, std::int32_t sign) {
  if (!standing.counted) return;
  CountryChange& change = countries_[standing.country.index()];
  change.accounts += sign;
  change.never += standing.never ? sign : 0;
  change.once += standing.once ? sign : 0;
  change.confidence += sign * standing.confidence;
  change.evidence[static_cast<std::size_t>(standing.evidence)] += sign;
  if (standing.city != 0) city(standing.city).accounts += sign;
  if (standing.lapse_day != 0) {
    if (CellChange* cell = this->cell(RowKind::kLapse, standing.lapse_day, standing.country)) {
      cell->accounts += sign;
    }
  }
  if (standing.last_post_s != 0) add_last_post(standing.country, standing.last_post_s, sign);
}

void Changes::add_last_post(Country country, std::uint32_t last_post_s, std::int32_t sign) {
  for (const RowKind tier : kTiers) {
    if (CellChange* cell = this->cell(tier, bucket_of(tier, last_post_s), country)) {
      cell->accounts += sign;
    }
  }
}

}  // namespace geotally::tally
