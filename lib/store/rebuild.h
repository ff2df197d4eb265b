// A new store from what can still be read of a damaged one.
//
// Kept is every record that verifies. Accounts say again what all cells say of accounts; posts and
// deletions, which no account can say, are made to agree over seconds, minutes, hours, days and all
// time. Records of kinds that this program does not know are copied. What was lost is a gap of cause `rebuilt`: of the buckets that do not agree, or, where
// accounts are missing or may be older than they were, of all that was ever observed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "store/store.h"

namespace geotally::store {

inline constexpr const char* kRebuiltCause = "rebuilt";

struct RebuildOptions {
  std::string data_dir;  ///< is only read
  std::string into;      ///< must not hold anything
  std::int64_t now_us = 0;
  /// Given the feed's position as it is stored (empty = it was lost) and the watermark: the
  /// position to go on from. The store does not know what is in it.
  std::function<std::string(const std::string& cursor, std::int64_t watermark_us)> position;
};

struct Rebuilt {
  struct Family {
    std::string name;
    std::uint64_t kept = 0;        ///< records
    std::uint64_t unreadable = 0;  ///< versions of records; a kept record may be an older version
    std::uint64_t invalid = 0;     ///< read, but nothing that an encoder writes
    std::uint64_t missing = 0;     ///< known to have been there
  };
  CommitRecord record;
  std::vector<Family> families;
  std::uint64_t files_lost = 0;  ///< sorted files of which nothing can be read
  bool manifest_lost = false;    ///< every file was read on its own
  bool log_broken = false;
  std::uint64_t corrected = 0;  ///< cells that said something else than the accounts
  std::vector<Gap> gaps;        ///< those that the loss left
};

/// Puts the new store into `into`, verified. The counters for Prometheus start again from 0, and
/// accounts that were lost begin with a fence at the watermark, so that what is replayed of them
/// does not count again. Interrupted, the same call goes on. Throws Refused when there is too
/// little to go on from, CannotCreate or IoError.
[[nodiscard]] Rebuilt rebuild(const RebuildOptions& options);

}  // namespace geotally::store
