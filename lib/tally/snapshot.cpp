#include "tally/snapshot.h"

namespace geotally::tally {

std::string_view to_string(Engagement engagement) {
  switch (engagement) {
    case Engagement::kNever:
      return "never";
    case Engagement::kOnce:
      return "once";
    case Engagement::kOccasional:
      return "occasional";
    case Engagement::kEngaged:
      return "engaged";
  }
  return "";
}

}  // namespace geotally::tally
