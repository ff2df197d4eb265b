// Goal: a websocket server that shares nothing with us can feed the follower.
#include <gtest/gtest.h>

#include "harness.h"
#include "surroundings.h"

namespace geotally::feed {
namespace {

TEST(Independent, PythonsWebsocketsServer) {
  Child server({"/usr/bin/python3", GEOTALLY_FEED_TESTS "/independent_server.py"});
  const std::string port = server.read_line();
  ASSERT_FALSE(port.empty()) << "is python3-websockets installed?";
  Harness harness({"ws://127.0.0.1:" + port + "/subscribe"});
  harness.options.buffer_bytes = 64 * 1024;
  harness.start();
  harness.until([&] { return harness.disconnects.size() == 1; });
  harness.follower->stop();
  EXPECT_EQ(harness.disconnects[0], Disconnect::kServerRestart);
  ASSERT_GE(harness.messages.size(), 1005u);
  EXPECT_EQ(harness.messages[0], "message 0 of /subscribe");
  EXPECT_EQ(harness.messages[999], "message 999 of /subscribe");
  EXPECT_EQ(harness.messages[1000], "in three fragments");
  EXPECT_EQ(harness.messages[1001], std::string(300'000, 'x'));
  EXPECT_EQ(harness.messages[1002], std::string(200'000, 'y'));
  EXPECT_EQ(harness.messages[1003], "");
  EXPECT_EQ(harness.messages[1004], "é漢😀");
  EXPECT_GE(harness.follower->counts().pings, 2u);
}

}  // namespace
}  // namespace geotally::feed
