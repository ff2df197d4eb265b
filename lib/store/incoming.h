// A store that is put together out of sight, and takes its place whole or not at all.
#pragma once

#include <string>

namespace geotally::store {

/// The data directory is never replaced: it must be empty but for what an interrupted attempt left.
class Incoming {
 public:
  /// Makes `data_dir`. Throws Refused when it holds anything, CannotCreate when it cannot be made.
  explicit Incoming(std::string data_dir);

  /// An earlier attempt came so far that only finish() was left.
  [[nodiscard]] bool complete() const { return complete_; }
  /// Where the store is to be made; empty at first.
  [[nodiscard]] const std::string& directory() const { return temporary_; }
  /// A name beside it for what is needed meanwhile; finish() removes it.
  [[nodiscard]] const std::string& scratch() const { return scratch_; }
  /// The store there is complete, closed and synced: moves it to its place. Throws IoError.
  void finish();

 private:
  const std::string data_dir_;
  const std::string temporary_;
  const std::string whole_;
  const std::string scratch_;
  bool complete_ = false;
};

}  // namespace geotally::store
