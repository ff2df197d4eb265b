// A frame for a test: the text in memory of exactly its size and the padding, so that a
// sanitizer sees every byte read past it.
#pragma once

#include <cstring>
#include <memory>
#include <string_view>

#include "feed/dialect.h"

namespace geotally::feed {

class Padded {
 public:
  explicit Padded(std::string_view text, char padding = '}')
      : size_(text.size()), bytes_(new char[text.size() + kFramePadding]) {
    std::memcpy(bytes_.get(), text.data(), text.size());
    std::memset(bytes_.get() + text.size(), padding, kFramePadding);
  }
  operator Frame() const { return {{bytes_.get(), size_}}; }  // NOLINT: reads as a frame

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

}  // namespace geotally::feed
