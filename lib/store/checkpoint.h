// How a backup gets hold of the commits of a daemon that has the store open: by files in the data
// directory. `geotally backup` leaves a request; after its next commit the daemon links what it
// just committed into a directory beside it, and the rest is done by the other process. Inside
// lib/store only.
#pragma once

namespace geotally::store {

inline constexpr const char* kCheckpointRequest = "checkpoint.request";
inline constexpr const char* kCheckpoint = "checkpoint";  ///< a store of its own, by hard links
inline constexpr const char* kCheckpointFailed = "checkpoint.failed";  ///< why, in words
/// Locked by the `geotally backup` at work: one at a time.
inline constexpr const char* kBackupLock = "backup.lock";
/// A store that is being put together, and one that is complete and being moved to its place.
inline constexpr const char* kIncomingTemporary = "incoming.tmp";
inline constexpr const char* kIncoming = "incoming";
inline constexpr const char* kIncomingScratch = "incoming.scratch";  ///< what that needs besides

/// What to do about a store whose bytes are wrong; ends the messages that say so.
inline constexpr const char* kAdvice =
    "`geotally restore` brings a backup back, `geotally rebuild` what can still be read";

}  // namespace geotally::store
