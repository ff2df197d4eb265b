// What the answers read of a store, beside the snapshot. Thread-safe, as reading a store is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "http/sources.h"
#include "store/store.h"

namespace geotally {

/// Throws store::Refused while a daemon holds the data directory: reading takes no lock, and a
/// store that changes under the reader is not one commit any more.
void refuse_held(const std::string& directory);

/// As http::Sources::daily_rows.
[[nodiscard]] std::vector<http::DailyRow> daily_rows(const store::Store& store, std::int32_t from,
                                                     std::int32_t to);
/// As http::Sources::gaps.
[[nodiscard]] std::vector<http::Gap> newest_gaps(const store::Store& store, std::size_t limit);

}  // namespace geotally
