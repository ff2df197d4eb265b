// Our own broken invariants stop the process, in every build: rather no commit than a wrong one.
//
// Never for what comes from outside: upstream bytes, files and requests are refused, not checked.
#pragma once

#include <functional>

namespace geotally::base {

/// What did not hold, and where. All of static storage.
struct Broken {
  const char* what;       ///< in words: "a cell left its range"
  const char* condition;  ///< as it is written in the source
  const char* file;
  int line;
};

/// Called once, on the thread that met it, just before the process aborts. It must take no lock:
/// that thread may hold any.
using BrokenHandler = std::function<void(const Broken&)>;

/// Who says that an invariant is broken; none = one line on standard error. Not thread-safe: before
/// the threads that check begin, and after they ended.
void on_broken(BrokenHandler handler);

/// Tells the handler, then aborts.
[[noreturn]] void broken(const Broken& broken) noexcept;

}  // namespace geotally::base

/// Aborts with `words` when `condition` does not hold; unlike assert(), NDEBUG changes nothing.
#define GEOTALLY_CHECK(condition, words) \
  (static_cast<bool>(condition)          \
       ? void(0)                         \
       : ::geotally::base::broken({words, #condition, __FILE__, __LINE__}))
