// Why a store cannot be used. One clear line each; main() turns them into exit codes.
#pragma once

#include <stdexcept>
#include <string>

namespace geotally::store {

/// The store is of another format, corrupt, or held by another process: exit 65. A restart
/// does not help, and nothing was changed.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Another process holds the store.
struct InUse : Refused {
  using Refused::Refused;
};

/// The directory cannot be made or written: exit 73.
struct CannotCreate : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The disk failed: exit 74. What was committed stays.
struct IoError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace geotally::store
