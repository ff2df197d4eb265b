// A stretch of feed that was missed, or that nothing proves complete.
#pragma once

#include <cstdint>
#include <string>

namespace geotally {

struct Gap {
  std::int64_t from_us = 0;  ///< event time of the last event before it
  std::int64_t to_us = 0;    ///< event time of the first event after it; > from_us
  std::string cause;         ///< a lower_snake_case word, e.g. "server_closed"
  friend bool operator==(const Gap&, const Gap&) = default;
};

}  // namespace geotally
