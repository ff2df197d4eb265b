#include <cstring>

#include <gtest/gtest.h>

#include "crash_test.h"

int main(int argc, char** argv) {
  if (argc == 5 && std::strcmp(argv[1], geotally::pipeline::kFollowFlag) == 0) {
    return geotally::pipeline::follow(argv + 2);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
