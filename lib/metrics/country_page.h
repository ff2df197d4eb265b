// The figures per country as /metrics/countries shows them: one committed
// snapshot in Prometheus' text format 0.0.4, by a writer of its own (some 6,000
// series a page; the general serializer takes nine times as long).
#pragma once

#include <string>
#include <string_view>

#include "tally/snapshot.h"

namespace geotally::metrics {

/// Every country is there, also as 0. Pure; thread-safe.
/// Requires a snapshot whose vectors have the sizes that they promise.
[[nodiscard]] std::string country_page(const tally::Snapshot& snapshot);

/// Content-Type of both pages.
inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace geotally::metrics
