#include "tally/changes.h"

namespace geotally::tally {
Changes::Changes() = default;
Changes::Changes(Changes&&) noexcept = default;
Changes& Changes::operator=(Changes&&) noexcept = default;
Changes::~Changes() = default;

void Changes::set_watermark(std::int64_t watermark_s) {
  for (std::size_t i = 0; i < kRowKinds; ++i) {
    first_kept_[i] = first_kept(static_cast<RowKind>(i), watermark_s);
  }
}

std::uint64_t Changes::key_of(RowKind kind, std::int64_t bucket) {
  return static_cast<std::uint64_t>(bucket) * kRowKinds + static_cast<std::size_t>(kind);
}

CellChange* Changes::cell(RowKind kind, std::int64_t bucket, Country country) {
  const auto slot = static_cast<std::size_t>(kind);
  if (bucket < first_kept_[slot]) return nullptr;
  const std::size_t number = country.index() / RowPart::kCountries;
  Latest& latest = latest_[slot];
  // Time goes forwards: what is asked for between two posts of now is where accounts come from.
  if (bucket > latest.bucket) latest = {.bucket = bucket};
  RowPart* found = bucket == latest.bucket ? latest.row[number] : nullptr;
  if (found == nullptr) {
    found = &part(kind, bucket, number);
    if (bucket == latest.bucket) latest.row[number] = found;
  }
  return &found->cells[country.index() % RowPart::kCountries];
}

const CellChange* Changes::find(RowKind kind, std::int64_t bucket, Country country) const {
  if (bucket < first_kept_[static_cast<std::size_t>(kind)]) return nullptr;
  const auto row = rows_.find(key_of(kind, bucket));
  if (row == rows_.end()) return nullptr;
  const RowPart* const part = row->second[country.index() / RowPart::kCountries];
  return part == nullptr ? nullptr : &part->cells[country.index() % RowPart::kCountries];
}

Changes::LastPost Changes::find_last_post(Country country, std::uint32_t last_post_s) const {
  return {find(RowKind::kSecond, bucket_of(RowKind::kSecond, last_post_s), country),
          find(RowKind::kMinute, bucket_of(RowKind::kMinute, last_post_s), country)};
}

RowPart& Changes::part(RowKind kind, std::int64_t bucket, std::size_t number) {
  RowPart*& part = rows_[key_of(kind, bucket)][number];
  if (part == nullptr) {
    parts_.push_back(std::make_unique<RowPart>());
    part = parts_.back().get();
    part->kind = kind;
    part->first = static_cast<std::uint8_t>(number * RowPart::kCountries);
    part->bucket = bucket;
  }
  return *part;
}

void Changes::move(const Standing& before, const Standing& after) {
  if (before.counted && after.counted && before.country == after.country) {
    // The usual case by far: only what differs.
    CountryChange& change = countries_[after.country.index()];
    change.never += static_cast<int>(after.never) - static_cast<int>(before.never);
    change.once += static_cast<int>(after.once) - static_cast<int>(before.once);
    change.confidence += after.confidence - before.confidence;
    change.automated += static_cast<int>(after.automated) - static_cast<int>(before.automated);
    change.bridged += static_cast<int>(after.bridged) - static_cast<int>(before.bridged);
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
  change.automated += standing.automated ? sign : 0;
  change.bridged += standing.bridged ? sign : 0;
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
