// What every fuzz target is: a function of some bytes that returns, whatever they are. What must
// hold is asserted; a crash, an assertion or a sanitizer's report is a finding.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace geotally::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Cuts bytes off the front of an input, for choices and lengths.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(text_of(data, size)) {}
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  /// Up to and without `end`, or all that is left.
  std::string_view until(char end) {
    const std::string_view part = rest_.substr(0, rest_.find(end));
    rest_.remove_prefix(std::min(rest_.size(), part.size() + 1));
    return part;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

/// A copy of exactly `text` and the bytes that may be read behind it, so that a sanitizer sees
/// a read past them.
class Padded {
 public:
  Padded(std::string_view text, std::size_t padding)
      : size_(text.size()), bytes_(std::make_unique<char[]>(text.size() + padding)) {
    if (size_ > 0) std::memcpy(bytes_.get(), text.data(), size_);
  }
  [[nodiscard]] std::string_view text() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

/// Unlike assert(), there in every build.
inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace geotally::fuzz
