// Words around the name of a place: what they say of whether a place is meant.
#pragma once

#include <string_view>

namespace geotally::geo {

// Each takes a normalised word (see words.h).

/// Says nothing about whether the rest is a place ("greater", "downtown", "from").
[[nodiscard]] bool is_filler(std::string_view word);
/// Makes what stands beside it someone's property rather than a place ("my", "heart").
[[nodiscard]] bool is_personal(std::string_view word);
/// Announces the place where someone lives ("based", "vivo"),
[[nodiscard]] bool is_residence(std::string_view word);
/// and the one where he comes from ("from", "born", "originally").
[[nodiscard]] bool is_origin(std::string_view word);
/// Announces a place in running text ("in", "based", "vivo").
[[nodiscard]] bool is_cue(std::string_view word);

/// Whether `text`, as written, ends in a pin, a house or a globe.
[[nodiscard]] bool ends_in_pin(std::string_view text);

}  // namespace geotally::geo
