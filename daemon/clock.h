#pragma once

#include <chrono>
#include <cstdint>

namespace geotally {

/// Wall clock, microseconds since the epoch.
inline std::int64_t wall_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace geotally
