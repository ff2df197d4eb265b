// A large array that grows without being copied.
//
// A vector that doubles holds the old and the new elements at once, half as much again as it is
// meant to take. Here the kernel moves the pages instead (mremap(2)), so memory stays at what is
// used: pages that were never written take none.
#pragma once

#include <cstddef>
#include <type_traits>

namespace geotally::tally {

/// Brings what lies at `at` into the cache. A load whose result nobody waits for, and not a
/// prefetch instruction: g++ 12 takes a function that holds nothing else for one without effect and
/// leaves its calls out, and where they are kept they gain no more. Many loads one after the other
/// wait for memory together.
inline void fetch(const void* at) { static_cast<void>(*static_cast<const volatile char*>(at)); }

/// Anonymous memory, all zero at first. Not thread-safe.
class Pages {
 public:
  Pages() = default;
  ~Pages();
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  /// Grows to `bytes` at least, with zeros behind what there is; pointers into it become invalid.
  /// Throws std::bad_alloc.
  void grow(std::size_t bytes);
  /// Has the kernel make all pages now, in two threads: where the machine is a guest, the first
  /// touch of a huge page can take milliseconds. Takes the memory that grow() only promised.
  void populate() const;
  [[nodiscard]] void* data() const { return data_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

template <typename T>
class PageArray {
  static_assert(std::is_trivially_copyable_v<T>, "the kernel moves them");

 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  /// New elements are all zero bits. Throws std::bad_alloc.
  void grow(std::size_t size) {
    pages_.grow(size * sizeof(T));
    size_ = size;
  }
  void populate() const { pages_.populate(); }
  [[nodiscard]] T& operator[](std::size_t i) { return static_cast<T*>(pages_.data())[i]; }
  [[nodiscard]] const T& operator[](std::size_t i) const {
    return static_cast<const T*>(pages_.data())[i];
  }

 private:
  Pages pages_;
  std::size_t size_ = 0;
};

}  // namespace geotally::tally
