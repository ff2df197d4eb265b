#include "daemon/notify.h"

#include <ctime>
#include <string>

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

namespace geotally {

Notify::Notify() {
  std::uint64_t watchdog_us = 0;
  if (::sd_watchdog_enabled(0, &watchdog_us) > 0) {
    watchdog_us_ = static_cast<std::int64_t>(watchdog_us);
  }
}

void Notify::ready(std::string_view status) {
  ::sd_notify(0, fmt::format("READY=1\nSTATUS={}", status).c_str());
}

void Notify::status(std::string_view status) {
  ::sd_notify(0, fmt::format("STATUS={}", status).c_str());
}

void Notify::reloading() {
  std::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  ::sd_notify(
      0,
      fmt::format("RELOADING=1\nMONOTONIC_USEC={}{:06}", now.tv_sec, now.tv_nsec / 1'000).c_str());
}

void Notify::stopping() { ::sd_notify(0, "STOPPING=1"); }

void Notify::alive(std::int64_t now_us) {
  if (watchdog_us_ == 0 || now_us - fed_us_ < watchdog_us_ / 4) return;
  fed_us_ = now_us;
  ::sd_notify(0, "WATCHDOG=1");
}

}  // namespace geotally
