// Recomputes every cell from the accounts, and holds what accounts cannot say
// against itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/store.h"

namespace geotally::store {

struct Verification {
  std::uint64_t accounts = 0;  ///< read
  std::uint64_t cells = 0;     ///< compared
  std::uint64_t differing = 0;
  std::uint64_t passed_over = 0;         ///< Store::count_passed_over()
  std::vector<std::string> differences;  ///< the first ones, one line each
};

/// Reads the whole store. Accounts, engagement, evidence, certainty and active accounts of every
/// bucket must equal the sum over accounts; posts of every minute, hour and day those of its
/// seconds, minutes and hours while both are kept; posts and deletions ever the sum of all days;
/// the base of the counters is not above them; and no more accounts may be first seen on a day than
/// were counted as new on it. Throws Refused or IoError.
[[nodiscard]] Verification verify(const Store& store);

/// One line that says how it went, and what to do when cells differ.
[[nodiscard]] std::string summary(const Verification& verification);

}  // namespace geotally::store
