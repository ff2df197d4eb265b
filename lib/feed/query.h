// What the query of a feed's address asks the server for, held against what the program expects:
// a parameter that keeps posts away, or that the configuration contradicts, makes a feed that
// stands, looks well, and says nothing.
// Source: bluesky-social/jetstream, README (v1) and the lexicon of subscribeEvents (v2).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "feed/dialect.h"

namespace geotally::feed {

/// What the program is set to, by the configuration.
struct QueryExpectation {
  Wire wire = Wire::kJetstreamV1;
  bool compress = false;                      ///< feed.zstd
  std::vector<std::string> collections = {};  ///< feed.collections; none = all
  std::uint64_t message_bytes_max = 0;        ///< feed.message_bytes_max
};

struct QueryFinding {
  bool refused = false;  ///< it cannot work; else it works, but is worth a warning
  std::string name;      ///< of the parameter, or "feed.collections"
  std::string message;   ///< what is wrong, and what would be right; repeats no value
};

/// What is to be said of `target`, the path and query of a feed's address; one finding for each
/// parameter and message. Parameters that neither wire knows are the server's own affair.
[[nodiscard]] std::vector<QueryFinding> check_query(std::string_view target,
                                                    const QueryExpectation& expected);

}  // namespace geotally::feed
