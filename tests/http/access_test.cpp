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

TEST(Access, ComparesAddressesAndNotTheirSpellings) {
  // A socket that listens on [::] has addresses of this form for what comes over IPv4.
  const Access access("::", {"2001:DB8::7", "counter."}, {});
  for (const char* host :
       {"10.1.2.3", "10.1.2.3:9718", "10.1.2.3.", "[::ffff:10.1.2.3]", "[::FFFF:a01:203]:1",
        "[::ffff:127.0.0.1]", "[0:0:0:0:0:0:0:1]:9718", "[2001:db8:0::7]", "localhost.",
        "LOCALHOST.:9718", "counter", "Counter.:80", "[::]"}) {
    EXPECT_TRUE(access.host_allowed(host, "::ffff:10.1.2.3")) << host;
    EXPECT_TRUE(access.host_allowed(host, "10.1.2.3")) << host;
  }
  for (const char* host : {"10.1.2.4", "[::10.1.2.3]", "[::ffff:10.1.2.4]", "counter..", ".",
                           "10.1.515", "0x0a010203", "[fe80::2]"}) {
    EXPECT_FALSE(access.host_allowed(host, "::ffff:10.1.2.3")) << host;
  }
  EXPECT_TRUE(access.host_allowed("[fe80::1]", "fe80::1%eth0"));
  EXPECT_TRUE(access.host_allowed("[fe80::1%25eth0]:9718", "fe80::1%2"));
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
