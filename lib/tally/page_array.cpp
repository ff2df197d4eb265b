#include "tally/page_array.h"

#include <algorithm>
#include <cstdint>
#include <new>
#include <thread>

#include <sys/mman.h>

namespace geotally::tally {
namespace {

// Elements are met in no order, so that small pages would miss the TLB at every one.
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kPage = 4'096;
// Pages that are made in one call: meanwhile no other thread gets memory from the kernel.
constexpr std::size_t kTogether = 4 * kHugePage;

std::size_t round_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

// Address space that begins at a huge page: between two such places the kernel moves huge pages
// whole.
char* reserve(std::size_t bytes) {
  void* const wide = ::mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (wide == MAP_FAILED) throw std::bad_alloc();
  char* const begin = static_cast<char*>(wide);
  const std::size_t before = round_up(reinterpret_cast<std::uintptr_t>(begin), kHugePage) -
                             reinterpret_cast<std::uintptr_t>(begin);
  if (before > 0) ::munmap(begin, before);
  ::munmap(begin + before + bytes, kHugePage - before);
  return begin + before;
}

}  // namespace

Pages::~Pages() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

void Pages::grow(std::size_t bytes) {
  bytes = round_up(bytes, bytes < kHugePage ? kPage : kHugePage);
  if (bytes <= bytes_) return;
  void* target = reserve(bytes);
  if (data_ != nullptr) {
    target = ::mremap(data_, bytes_, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, target);
    if (target == MAP_FAILED) throw std::bad_alloc();
  }
  data_ = target;
  bytes_ = bytes;
  // Only a wish: where the kernel grants none, it is slower and no less right.
  static_cast<void>(::madvise(data_, bytes_, MADV_HUGEPAGE));
}

void Pages::populate() const {
  const auto make = [this](std::size_t from, std::size_t to) {
    for (; from < to; from += kTogether) {
      // Before Linux 5.14 it is refused, and pages are made as they are touched.
      static_cast<void>(::madvise(static_cast<char*>(data_) + from, std::min(kTogether, to - from),
                                  MADV_POPULATE_WRITE));
    }
  };
  const std::size_t half = bytes_ / 2 / kPage * kPage;
  std::thread first(make, 0, half);
  make(half, bytes_);
  first.join();
}

}  // namespace geotally::tally
