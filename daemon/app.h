// The daemon, put together: one constructor makes every object, in the order in
// which they lean on each other.
#pragma once

#include <memory>

#include "config/load.h"

namespace geotally {

/// Threads: the one that calls run() becomes `io` (feed and ingest); `http`, `store` and
/// `shard-0` … are started by the objects that own them.
class App {
 public:
  /// Throws ConfigError, http::ListenError, and what store::Store::open() throws.
  explicit App(const config::Inputs& inputs);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  /// Follows the feed until SIGTERM or SIGINT; returns the exit code.
  int run();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace geotally
