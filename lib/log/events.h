// The closed list of what the daemon says about itself. A line's event name is
// stable: people filter and alert on it. Adding one means adding it here, with
// its level and what an operator should make of it.
//
// Lifecycle events carry a journal MESSAGE_ID, so that `journalctl -x` can
// explain them from the catalogue; the ids are random and never change.
#pragma once

#include <cstdint>
#include <string_view>

namespace geotally::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError, kFatal };
inline constexpr std::size_t kLevels = 5;
/// "debug" … "fatal": metric label and configuration value. Static storage.
[[nodiscard]] std::string_view to_string(Level level);

enum class Event : std::uint8_t {
  kDaemonStarting,
  kDaemonReady,
  kDaemonStopping,
  kDaemonStopped,
  kDaemonFailed,
  kConfigLoaded,
  kConfigReloaded,
  kConfigReloadFailed,
  kConfigRestartNeeded,
  kConfigWarning,
  kFeedConnecting,
  kFeedConnected,
  kFeedConnectFailed,
  kFeedDisconnected,
  kFeedCaughtUp,
  kFeedFailover,
  kFeedGap,
  kFeedCursorTooOld,
  kFeedNotice,
  kFeedRejected,
  kFeedFutureEvent,
  kFeedDictionary,
  kFeedStopped,
  kStoreOpened,
  kStoreClosed,
  kStoreRefused,
  kStoreCommitSlow,
  kStoreCommitFailed,
  kStoreWriteStopped,
  kStoreBackgroundError,
  kStoreExpired,
  kStoreErased,
  kStoreCheckpoint,
  kStoreCheckpointFailed,
  kTallyFenceOverflow,
  kTallyToldOutOfOrder,
  kTallyAccountsFull,
  kHttpListening,
  kHttpRejected,
  kHttpError,
  kHttpStopped,
  kGeoLoaded,
  kResolverChanged,
  kWatchdogLate,
  kInvariantBroken,
};
inline constexpr std::size_t kEvents = static_cast<std::size_t>(Event::kInvariantBroken) + 1;

struct EventInfo {
  Event event;
  Level level;
  std::string_view name;        ///< "feed.connected"
  std::string_view body;        ///< the sentence that a reader sees
  std::string_view message_id;  ///< 32 hex digits for the journal; empty = none
  std::string_view meaning;     ///< what it tells an operator, with the fields it carries
};

/// Row of `event` in the table. Static storage.
[[nodiscard]] const EventInfo& info(Event event);

}  // namespace geotally::log
