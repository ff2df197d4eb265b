// The child of crash_test.cpp is this program itself.
#pragma once

namespace geotally::pipeline {

inline constexpr const char* kFollowFlag = "--follow";

/// `arguments`: store's directory, number of shards, descriptor to report progress on. Follows
/// the test's feed from the store's cursor to its end. Returns the exit code.
int follow(char** arguments);

}  // namespace geotally::pipeline
