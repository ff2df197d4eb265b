// What systemd is told (sd_notify(3)); without systemd every call does nothing.
#pragma once

#include <cstdint>
#include <string_view>

namespace geotally {

/// Used by one thread, the ingest's: the watchdog is fed by the work, not by a timer beside it.
class Notify {
 public:
  Notify();

  void ready(std::string_view status);
  void status(std::string_view status);
  void reloading();
  void stopping();
  /// Feeds the watchdog, if there is one and half its time has passed. `now_us` by any steady
  /// clock.
  void alive(std::int64_t now_us);

 private:
  std::int64_t watchdog_us_ = 0;  // 0 = none
  std::int64_t fed_us_ = 0;
};

}  // namespace geotally
