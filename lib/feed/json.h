// What the dialects share about reading JSON with simdjson On-Demand: one parser for
// ever, in place; errors become Rejections. Only dialects include this.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include <simdjson.h>

#include "event/event.h"
#include "feed/dialect.h"

namespace geotally::feed {

[[nodiscard]] Rejection to_rejection(simdjson::error_code error);

/// Whether arrays and objects nest deeper than `depth_max` in `text`. Reads, but does not
/// use, up to 15 bytes behind it. On-Demand skips what we do not ask for without recursion,
/// so depth cannot hurt us; it is refused because nothing honest is so deep.
[[nodiscard]] bool deeper_than(std::string_view text, std::size_t depth_max);

/// A key of an object, compared as written: a key with escapes equals none.
class Key {
 public:
  explicit Key(simdjson::ondemand::raw_json_string key) : raw_(key.raw()) {}
  template <std::size_t N>
  [[nodiscard]] bool is(const char (&name)[N]) const {
    static_assert(N <= kFramePadding);
    return std::memcmp(raw_, name, N - 1) == 0 && raw_[N - 1] == '"';
  }

 private:
  const char* raw_;
};

/// An object, or why there is none.
using Object = simdjson::simdjson_result<simdjson::ondemand::object>;

}  // namespace geotally::feed
