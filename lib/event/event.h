// One event of an upstream feed, as a dialect decoded it: plain values and
// views into the frame. No I/O, no clock, nothing that allocates.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace geotally {

/// What an event is to the tally. Closed: the names are metric labels.
enum class EventKind : std::uint8_t {
  kPost,           ///< a post was created
  kPostDelete,     ///< a post was deleted
  kProfile,        ///< a profile was created or replaced
  kProfileDelete,  ///< a profile was deleted
  kAddress,        ///< what may declare an address was created or replaced
  kAddressDelete,  ///< what may declare an address was deleted
  kIdentity,       ///< the account's handle or keys changed
  kAccount,        ///< the account's status changed
  kSync,           ///< the server is about to tell the account's whole repository again
};
inline constexpr std::size_t kEventKinds = 9;
[[nodiscard]] std::string_view to_string(EventKind kind);

/// Status of an account. Those of a host (desynchronized, throttled) leave it on the network.
enum class AccountStatus : std::uint8_t {
  kActive,
  kHostTrouble,  ///< desynchronized or throttled: not a departure
  kDeleted,      ///< gone, and erased after the retention
  kGone,         ///< takendown, suspended, deactivated, none given, or unknown
};

/// Fields that an event can do without. Closed: the names are metric labels.
enum class EventField : std::uint8_t {
  kText,
  kCreatedAt,
  kLangs,
  kReply,
  kDisplayName,
  kDescription,
  kWebsite,
  kAddress,
  kCountry,
  kHandle,
  kStatus,
};
inline constexpr std::size_t kEventFields = 11;
[[nodiscard]] std::string_view to_string(EventField field);

/// Views hold until the next decode() or until the frame's buffer is reused.
struct Event {
  static constexpr std::size_t kLanguagesMax = 3;

  EventKind kind{};
  std::string_view did;  ///< the network's stable account id
  /// Event time, microseconds since the epoch: the server's, never the author's.
  std::int64_t time_us = 0;
  /// The host's own sequence number; 0 = the wire has none.
  std::uint64_t sequence = 0;
  /// Identifies the event among those of its account, with `revision`: a hash of
  /// (collection, rkey, operation); for identity and account events of what they say.
  std::uint64_t discriminator = 0;

  // Records (post, profile, address).
  std::uint64_t revision = 0;    ///< the TID as a number: rises per account; 0 = none
  /// Posts: the record key as a number, 0 = it is no TID. Addresses: hash of the rkey; where two
  /// collections declare an address, of one of them with its name, so that no two records share it.
  std::uint64_t record_key = 0;
  bool created = false;          ///< by a create, not an update
  std::int64_t imported_us = 0;  ///< time that the server's operator imported for it; 0 = none
  std::string_view created_at;   ///< as the author's client wrote it; for its zone only

  // kPost
  std::array<std::string_view, kLanguagesMax> languages;
  std::uint8_t language_count = 0;
  bool reply = false;
  std::string_view text;

  // kProfile
  std::string_view display_name;
  std::string_view description;
  std::string_view website;

  // kAddress
  std::string_view country;

  // kIdentity, kAccount
  std::int64_t upstream_time_us = 0;    ///< when the account's own host says that it happened
  std::uint64_t upstream_sequence = 0;  ///< orders events of equal time from one host
  std::string_view handle;              ///< empty = not given
  AccountStatus status = AccountStatus::kActive;

  /// A bit for each EventField that was there with a type that it cannot have: it was left out.
  std::uint16_t ignored = 0;
  void ignore(EventField field) {
    ignored = static_cast<std::uint16_t>(ignored | 1U << static_cast<unsigned>(field));
  }
};
static_assert(kEventFields <= 16, "Event::ignored has a bit for each");

/// Why a frame was refused. Closed: the names are metric labels.
enum class Rejection : std::uint8_t {
  kMalformed,  ///< not JSON, or cut off
  kTooDeep,    ///< nested beyond the limit
  kTooLarge,   ///< longer than the limit
  kInvalidUtf8,
  kMissingField,
  kInvalidField,   ///< wrong type, or a value that cannot be
  kNotText,        ///< a kind of message that the wire does not have
  kDecompression,  ///< zstd: cut off, corrupt, too large, or another dictionary
};
inline constexpr std::size_t kRejections = 8;
[[nodiscard]] std::string_view to_string(Rejection reason);

/// What a server says of itself. Closed: the names are metric labels.
enum class Notice : std::uint8_t {
  kOutdatedCursor,   ///< it does not go back as far as we asked
  kConsumerTooSlow,  ///< it is about to cut us off
  kInternalError,
  kUnknownFrame,  ///< an envelope that we do not know: whatever is in it is not read
  kOther,
};
inline constexpr std::size_t kNotices = 5;
[[nodiscard]] std::string_view to_string(Notice notice);

/// What became of a frame.
enum class Verdict : std::uint8_t {
  kEvent,      ///< `event` holds an event that may count
  kUncounted,  ///< well formed, of a kind that is not counted; `did`, `time_us`,
               ///< `sequence` and `discriminator` are set
  kNotice,     ///< the server speaks of itself; no event, the cursor does not move;
               ///< Dialect::notice_kind() says what it is
  kRejected,   ///< Dialect::rejection() says why
};

/// Why an event was not counted though it was well formed. Closed: the names are metric labels.
enum class Drop : std::uint8_t {
  kReplayed,
  kTooOld,
  kFuture,
  kUncounted,
  kResync,          ///< told again with its repository, and not new
  kFutureRevision,  ///< its revision lies far ahead of when the server witnessed it
  kReopening,       ///< a future time was confirmed: it comes again when the feed is read anew
};
inline constexpr std::size_t kDrops = 7;
[[nodiscard]] std::string_view to_string(Drop reason);

}  // namespace geotally
