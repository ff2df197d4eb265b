// What the kernel knows of this process, for the standard process_* families.
#pragma once

#include <cstdint>

namespace geotally::metrics {

/// 0 where /proc/self does not say.
struct ProcessFigures {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  double virtual_bytes_max = 0;  ///< +infinity = no limit
  std::uint64_t threads = 0;
  std::uint64_t open_fds = 0;
  double fds_max = 0;
};

/// Reads /proc/self only, which a sandbox with ProcSubset=pid still shows.
[[nodiscard]] ProcessFigures process_figures();

}  // namespace geotally::metrics
