// Everything that an account may say of itself, and any bytes as its stored state. Fields are
// separated by newlines; the first 28 bytes are the state when the first one is odd.
#include <array>
#include <cstring>

#include "geo/resolver.h"
#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace geo = geotally::geo;
  static const geo::Resolver resolver{[] {
    geo::Resolver::Options options;
    options.table = GEOTALLY_TABLE;
    return options;
  }()};
  geo::EvidenceState state;
  if (size > state.bytes.size() && data[0] % 2 == 1) {
    std::memcpy(state.bytes.data(), data, state.bytes.size());
    data += state.bytes.size();
    size -= state.bytes.size();
  }
  geotally::fuzz::Input input(data, size);
  geo::Evidence evidence;
  const std::uint8_t what = input.byte();
  evidence.profile = (what & 1) != 0;
  evidence.post = (what & 2) != 0;
  std::array<geotally::LanguageTag, 1> languages{};
  if (const auto tag = geotally::LanguageTag::parse(input.until('\n'))) {
    languages[0] = *tag;
    evidence.languages = languages;
  }
  evidence.location = input.until('\n');
  evidence.handle = input.until('\n');
  evidence.display_name = input.until('\n');
  evidence.website = input.until('\n');
  evidence.time_zone = input.until('\n');
  evidence.description = evidence.text = input.rest();
  evidence.utc_hour = what < 24 ? what : geo::Evidence::kNoHour;

  (void)resolver.weigh(state, evidence);
  const geo::Resolution once = resolver.resolve(state);
  geotally::fuzz::require(once == resolver.resolve(state));
  (void)resolver.city(state);
  (void)resolver.explain(state);
  return 0;
}
