// Messages as the network sends them, made up: of a size and variety like real ones.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "feed/dialect.h"

namespace geotally::bench {

/// Messages one behind the other in one buffer, each followed by what the next one begins with, as
/// in a connection's buffer.
class Messages {
 public:
  /// `count` posts of Jetstream v1 or v2 by `accounts` accounts; about 600 bytes each.
  Messages(feed::Wire wire, std::size_t count, std::size_t accounts);
  [[nodiscard]] std::size_t size() const { return starts_.size() - 1; }
  [[nodiscard]] feed::Frame operator[](std::size_t i) const {
    return {{bytes_.data() + starts_[i], starts_[i + 1] - starts_[i]}};
  }

 private:
  std::string bytes_;
  std::vector<std::size_t> starts_;
};

}  // namespace geotally::bench
