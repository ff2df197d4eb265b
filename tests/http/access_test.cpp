// Goal: only known names and holders of the token get in.
// Method: headers as clients and attackers write them.
#include "http/access.h"

#include <gtest/gtest.h>

namespace geotally::http {
namespace {

TEST(Access, TakesLoopbackNamesTheBoundAddressAndWhatIsAllowed) {
  const Access access("192.0.2.7", {"Counter", "metrics.example"}, {});
  for (const char* host :
       {"localhost", "LOCALHOST:9718", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:9718",
        "192.0.2.7:80", "counter:9718", "metrics.EXAMPLE", "198.51.100.1:9718"}) {
    EXPECT_TRUE(access.host_allowed(host, "198.51.100.1")) << host;
  }
  for (const char* host : {"", ":", ":80", "evil.example", "localhost.evil.example",
                           "localhost:", "localhost:x", "localhost:99999", "[::1", "[]", "[::1]x",
                           "::1", "127.0.0.1.evil.example", "198.51.100.2", "local host"}) {
    EXPECT_FALSE(access.host_allowed(host, "198.51.100.1")) << host;
  }
}

TEST(Access, AsksForTheTokenWhereThereIsOne) {
  const Access access("127.0.0.1", {}, config::Secret("hunter2"));
  EXPECT_TRUE(access.token_accepted("Bearer hunter2", false));
  EXPECT_TRUE(access.token_accepted("bearer hunter2", false));
  EXPECT_TRUE(access.token_accepted("", true));
  for (const char* header :
       {"", "hunter2", "Bearer", "Bearer ", "Bearer hunter", "Bearer hunter22", "Basic hunter2"}) {
    EXPECT_FALSE(access.token_accepted(header, false)) << header;
  }
  EXPECT_TRUE(Access("127.0.0.1", {}, {}).token_accepted("", false));
}

}  // namespace
}  // namespace geotally::http
