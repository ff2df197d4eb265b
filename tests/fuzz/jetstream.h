// Both dialects: a message is an event or it is not; what is said of an event lies in the message.
#pragma once

#include "feed/dialect.h"
#include "target.h"

namespace geotally::fuzz {

inline void decode(feed::Dialect& dialect, std::string_view message) {
  const Padded padded(message, feed::kFramePadding);
  Event event;
  switch (dialect.decode({padded.text()}, event)) {
    case Verdict::kEvent:
      require(!event.did.empty() && event.language_count <= Event::kLanguagesMax);
      require(event.time_us > 0);
      (void)feed::identity_of(event);
      break;
    case Verdict::kUncounted:
      require(!event.did.empty());
      break;
    case Verdict::kRejected:
      require(!to_string(dialect.rejection()).empty());
      break;
    case Verdict::kNotice:
      require(dialect.notice().size() < 256);
      break;
  }
}

}  // namespace geotally::fuzz
