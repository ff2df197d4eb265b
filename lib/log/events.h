// The closed list of what the daemon says about itself. A line's event name is
// stable: people filter and alert on it. Adding one means adding it here, with
// its level, its fields and what an operator should make of it. tests/log holds
// the list to what is written, and the runbook and the catalogue to the list.
//
// Lifecycle events carry a journal MESSAGE_ID, so that `journalctl -x` can
// explain them from the catalogue; the ids are random and never change.
#pragma once

#include <array>
#include <cstddef>
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
  kStoreCommitSlow,
  kStoreCommitFailed,
  kStoreWriteStopped,
  kStoreBackgroundError,
  kStoreCheckpoint,
  kStoreCheckpointFailed,
  kTallyToldOutOfOrder,
  kHttpListening,
  kHttpRejected,
  kHttpError,
  kHttpStopped,
  kInvariantBroken,
};
inline constexpr std::size_t kEvents = static_cast<std::size_t>(Event::kInvariantBroken) + 1;

/// Fields of one event at most.
inline constexpr std::size_t kKeysMax = 5;

struct EventInfo {
  Event event;
  Level level;
  std::string_view name;        ///< "feed.connected"
  std::string_view body;        ///< the sentence that a reader sees
  std::string_view message_id;  ///< 32 hex digits for the journal; empty = none
  /// The fields of a line, all of them and no others; "" behind the last.
  std::array<std::string_view, kKeysMax> keys;
  std::string_view meaning;  ///< what it tells an operator
};

/// Whether a line of the event may carry a field of that name.
[[nodiscard]] bool lists(const EventInfo& info, std::string_view key);

/// Row of `event` in the table. Static storage.
[[nodiscard]] const EventInfo& info(Event event);

}  // namespace geotally::log
