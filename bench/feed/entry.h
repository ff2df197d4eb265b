// One event of a generated world, as small as it can be: everything that is
// rendered is a function of these fields, of the account's number and of the seed.
#pragma once

#include <cstdint>

namespace geotally::feedgen {

enum class EntryKind : std::uint8_t {
  kPost,
  kReply,
  kPostUpdate,
  kPostDelete,
  kLike,
  kLikeDelete,
  kRepost,
  kFollow,
  kForeign,  ///< a record of a collection that nobody counts
  kProfile,
  kProfileUpdate,
  kAddress,
  kAddressUpdate,
  kAddressDelete,
  kPerson,  ///< a community profile: declares its address as an address record does
  kPersonUpdate,
  kPersonDelete,
  kIdentity,
  kHandle,  ///< an identity event that names the handle
  kActive,
  kTakendown,
  kSuspended,
  kDeactivated,
  kDeleted,
  kDesynchronized,
  kThrottled,
};

/// On what the country of an account (or of an event) rests; in the log by its name.
enum class Hint : std::uint8_t { kNone, kLanguage, kRegion, kFlag, kAddress };

struct Entry {
  std::int64_t time_us = 0;  ///< when the server saw it
  std::int64_t ref_us = 0;   ///< record key, as a time, of what a deletion or reply refers to
  std::uint32_t account = 0;
  std::uint32_t ref_account = 0;  ///< whose post a reply or like refers to
  EntryKind kind{};
  std::uint8_t tie = 0;       ///< place within a commit of several records
  std::uint8_t country = 0;   ///< place in the world's list that the event speaks for
  Hint hint = Hint::kNone;    ///< how it speaks for it
  std::uint8_t language = 0;  ///< place in the world's list whose language is declared
  bool says_language = false;
};

}  // namespace geotally::feedgen
