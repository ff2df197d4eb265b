#include "base/check.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <unistd.h>

namespace geotally::base {
namespace {

// Never destroyed: a thread may check while the process ends.
BrokenHandler& handler() {
  static auto* const kHandler = new BrokenHandler;
  return *kHandler;
}

std::atomic_flag told;
thread_local bool telling = false;

}  // namespace

void on_broken(BrokenHandler given) { handler() = std::move(given); }

void broken(const Broken& broken) noexcept {
  if (telling) std::abort();  // the handler broke something itself
  telling = true;
  while (told.test_and_set()) ::pause();  // another thread is at it, and ends the process
  if (handler()) {
    handler()(broken);
  } else {
    std::fprintf(stderr, "geotally: invariant broken: %s (%s, %s:%d)\n", broken.what,
                 broken.condition, broken.file, broken.line);
  }
  std::abort();
}

}  // namespace geotally::base
