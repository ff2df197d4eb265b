// What the answers read of a store, beside the snapshot. Thread-safe, as reading a store is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "http/sources.h"
#include "store/store.h"

namespace geotally {

/// As http::Sources::daily_rows.
[[nodiscard]] std::vector<http::DailyRow> daily_rows(const store::Store& store, std::int32_t from,
                                                     std::int32_t to);
/// As http::Sources::gaps.
[[nodiscard]] std::vector<http::Gap> newest_gaps(const store::Store& store, std::size_t limit);

}  // namespace geotally
