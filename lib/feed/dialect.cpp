#include "feed/dialect.h"

// A call would take as long as to hash something that short.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace geotally::feed {

std::string_view to_string(Wire wire) {
  switch (wire) {
    case Wire::kJetstreamV1:
      return "jetstream-v1";
    case Wire::kJetstreamV2:
      return "jetstream-v2";
  }
  return "";
}

bool parse_wire(std::string_view name, Wire& wire) {
  for (const Wire candidate : {Wire::kJetstreamV1, Wire::kJetstreamV2}) {
    if (name != to_string(candidate)) continue;
    wire = candidate;
    return true;
  }
  return false;
}

std::uint64_t identity_of(const Event& event) {
  // The discriminator is a hash already, so the revision only has to be spread over it.
  const std::uint64_t seed = event.discriminator ^ (event.revision * 0x9E3779B97F4A7C15ULL);
  return XXH3_64bits_withSeed(event.did.data(), event.did.size(), seed);
}

std::unique_ptr<Dialect> make_dialect(Wire wire, DialectOptions options) {
  return wire == Wire::kJetstreamV1 ? make_jetstream_v1(std::move(options))
                                    : make_jetstream_v2(std::move(options));
}

}  // namespace geotally::feed
