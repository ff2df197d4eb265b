// One event as a test writes it down, and the Jetstream v1 message that says it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace geotally::support {

inline constexpr std::int64_t kSecond_us = 1'000'000;
inline constexpr std::int64_t kDay_us = 86'400 * kSecond_us;

struct Line {
  enum class Kind {
    kPost,
    kPostDelete,
    kProfile,
    kAddress,
    kAddressDelete,
    kIdentity,
    kAccount,
    kLike,  ///< well formed, of a collection that is not counted
    kSync,  ///< v2 only: the repository is told again
  };
  Kind kind = Kind::kPost;
  std::string did;
  std::int64_t time_us = 0;    ///< event time
  std::uint64_t revision = 0;  ///< records; 0 = made from `time_us`
  std::string rkey = "self";
  bool update = false;             ///< records: not a create
  std::int64_t imported_us = 0;    ///< v2: `time`, where an operator imported it; 0 = none
  std::string country;             ///< kAddress
  std::vector<std::string> langs;  ///< kPost
  std::string text;                ///< kPost
  std::string description;         ///< kProfile
  std::string handle;              ///< kIdentity; empty = not given
  bool active = true;              ///< kAccount
  std::string status;              ///< kAccount
  std::int64_t upstream_us = 0;    ///< kIdentity, kAccount; 0 = `time_us`
  std::uint64_t sequence = 1;      ///< kIdentity, kAccount
};

/// The revision that a server gives a record at `time_us`: 53 bits of time, 10 of a clock's name.
[[nodiscard]] std::uint64_t revision_at(std::int64_t time_us, unsigned clock = 0);
[[nodiscard]] std::string tid(std::uint64_t revision);
[[nodiscard]] std::string rfc3339(std::int64_t time_us);
/// The message on v1. Texts must need no escapes.
[[nodiscard]] std::string to_message(const Line& line);
/// The message on v2, with `seq` for its number. `time_us` is when the server witnessed it.
[[nodiscard]] std::string to_message_v2(const Line& line, std::uint64_t seq);

}  // namespace geotally::support
