// Names of the files that a commit writes, until RocksDB takes them in.
#pragma once

namespace geotally::store {

inline constexpr const char* kCommitFilePrefix = "commit-";
inline constexpr const char* kCommitFileSuffix = ".sst.tmp";

}  // namespace geotally::store
