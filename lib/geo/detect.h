// The language of a text, by the Compact Language Detector 2 (Apache-2.0, models included).
#pragma once

#include <string_view>

#include "country/language_tag.h"

namespace geotally::geo {

/// Language of `text`, or none where it is too short or too mixed to tell. Any bytes; looks at
/// the first 1,000. Names, links and hashtags are left out. Thread-safe.
[[nodiscard]] LanguageTag detect_language(std::string_view text);

}  // namespace geotally::geo
