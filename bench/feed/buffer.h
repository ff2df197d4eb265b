// Bytes that will be sent: grows, is never cleared to zero, keeps its memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace geotally::feedgen {

class Buffer {
 public:
  /// Room for `size` more bytes; valid until the next call.
  [[nodiscard]] char* room(std::size_t size) {
    if (size_ + size > capacity_) grow(size_ + size);
    return data_.get() + size_;
  }
  /// `end`: one past the last byte written into room().
  void commit(const char* end) { size_ = static_cast<std::size_t>(end - data_.get()); }

  void append(std::string_view bytes) {
    char* const out = room(bytes.size());
    bytes.copy(out, bytes.size());
    commit(out + bytes.size());
  }
  void truncate(std::size_t size) { size_ = size; }
  void clear() { size_ = 0; }

  [[nodiscard]] char* data() { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::string_view view(std::size_t from = 0) const {
    return {data_.get() + from, size_ - from};
  }

 private:
  void grow(std::size_t size) {
    const std::size_t capacity = std::max(size, capacity_ * 2 + 4096);
    std::unique_ptr<char[]> data(new char[capacity]);
    if (size_ > 0) std::memcpy(data.get(), data_.get(), size_);
    data_ = std::move(data);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace geotally::feedgen
