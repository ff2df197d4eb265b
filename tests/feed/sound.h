// What an event is whatever its message was: the least that the pipeline relies on.
#pragma once

#include <gtest/gtest.h>

#include "event/event.h"

namespace geotally::feed {

inline void expect_sound(const Event& event, std::string_view message) {
  EXPECT_TRUE(event.did.starts_with("did:")) << message;
  EXPECT_GT(event.time_us, 0) << message;
  EXPECT_LE(event.language_count, Event::kLanguagesMax) << message;
  if (event.kind != EventKind::kIdentity && event.kind != EventKind::kAccount) {
    EXPECT_NE(event.revision, 0U) << message;
  }
}

}  // namespace geotally::feed
