// Why there is no country table to work with.
#pragma once

#include <stdexcept>

namespace geotally::geo {

/// The table is missing or damaged. One clear line; the program ends with 78: a restart does not
/// bring it back.
struct TableError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace geotally::geo
