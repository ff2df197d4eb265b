// The part of every answer that says what it rests on. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "geotally/v1/api.pb.h"
#include "http/api/days.h"
#include "http/api/regions.h"
#include "tally/snapshot.h"

namespace geotally::http {

void fill(v1::Basis& basis, const tally::Snapshot& snapshot);
void fill(v1::Coverage& coverage, const tally::Snapshot& snapshot, std::size_t window);
/// Coverage of the UTC days [from, to] by their rows.
void fill(v1::Coverage& coverage, const Days& days, std::int32_t from, std::int32_t to,
          std::int64_t observed_since_us);
void fill(v1::Region& region, const Region& source);
void fill(v1::Country& country, Country source);

/// a / b; none where b is 0.
[[nodiscard]] std::optional<double> ratio(std::uint64_t a, std::uint64_t b);

/// Sum of `figure(countries[i])`, ZZ included.
template <class Countries, class Figure>
[[nodiscard]] std::uint64_t sum(const Countries& countries, Figure figure) {
  std::uint64_t total = 0;
  for (const auto& country : countries) total += figure(country);
  return total;
}

/// Sets an optional field where there is a value.
template <class Message>
void set(Message& message, void (Message::*setter)(double), std::optional<double> value) {
  if (value) (message.*setter)(*value);
}

}  // namespace geotally::http
