// Goal: an address that is dead or refuses costs a moment; the first that accepts is used, and
// nothing is left of the others (RFC 8305).
// Method: real sockets on addresses of the loopback; a dead one is a listener whose queue is full.
#include "feed/dialer.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "byte_server.h"

namespace geotally::feed {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::ip::tcp;

tcp::endpoint at(const std::string& address, std::uint16_t port) {
  return {asio::ip::make_address(address), port};
}

std::ptrdiff_t open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return std::distance(begin(files), end(files));
}

class DialerTest : public testing::Test {
 protected:
  Dialer::Result dial(const std::vector<tcp::endpoint>& addresses,
                      std::chrono::milliseconds delay) {
    Dialer::Options options;
    options.attempt_delay = delay;
    options.on_attempt = [this](const tcp::endpoint& address) {
      attempts_.push_back(address.address().to_string());
      if (on_attempt_) on_attempt_();
    };
    Dialer::Result result;
    asio::co_spawn(
        io_, [&]() -> asio::awaitable<void> { result = co_await dialer_.dial(addresses, options); },
        [](const std::exception_ptr& failed) {
          if (failed) std::rethrow_exception(failed);
        });
    io_.run_for(60s);
    EXPECT_TRUE(io_.stopped()) << "does not end";
    return result;
  }

  asio::io_context io_{1};
  Dialer dialer_{io_};
  std::vector<std::string> attempts_;
  std::function<void()> on_attempt_;
};

TEST(Interleaved, FamiliesTakeTurnsFromTheFirstOn) {
  const std::vector<tcp::endpoint> mixed = {at("::1", 1), at("::2", 1), at("::3", 1),
                                            at("127.0.0.1", 1), at("127.0.0.2", 1)};
  EXPECT_EQ(interleaved(mixed),
            (std::vector<tcp::endpoint>{at("::1", 1), at("127.0.0.1", 1), at("::2", 1),
                                        at("127.0.0.2", 1), at("::3", 1)}));
  const std::vector<tcp::endpoint> four_first = {at("127.0.0.1", 1), at("127.0.0.2", 1),
                                                 at("::1", 1)};
  EXPECT_EQ(interleaved(four_first),
            (std::vector<tcp::endpoint>{at("127.0.0.1", 1), at("::1", 1), at("127.0.0.2", 1)}));
  EXPECT_TRUE(interleaved({}).empty());
}

TEST_F(DialerTest, ADeadAddressCostsOneDelay) {
  const ByteServer server([](Peer& peer, int) { peer.wait_for_end(); });
  const DeadAddress dead("127.0.0.2", server.port());
  const std::ptrdiff_t before = open_files();
  const Dialer::Result result =
      dial({at("127.0.0.2", server.port()), at("127.0.0.1", server.port())}, 10ms);
  ASSERT_TRUE(result.socket);
  EXPECT_EQ(result.address, at("127.0.0.1", server.port()));
  EXPECT_EQ(result.socket->remote_endpoint(), result.address);
  EXPECT_TRUE(result.failed.empty()) << "it did not say no";
  EXPECT_EQ(attempts_, (std::vector<std::string>{"127.0.0.2", "127.0.0.1"}));
  while (server.accepted() == 0) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(open_files(), before + 2) << "both ends of the connection, and no other attempt";
}

TEST_F(DialerTest, AnAddressThatRefusesMakesRoomAtOnce) {
  const ByteServer server([](Peer& peer, int) { peer.wait_for_end(); });
  const Dialer::Result result =
      dial({at("127.0.0.2", server.port()), at("127.0.0.3", server.port()),
            at("127.0.0.1", server.port())},
           24h);  // nothing waits for it
  ASSERT_TRUE(result.socket);
  EXPECT_EQ(result.address, at("127.0.0.1", server.port()));
  EXPECT_EQ(result.failed.size(), 2u);
}

TEST_F(DialerTest, TheFirstThatAcceptsNeedsNoOther) {
  const ByteServer server([](Peer& peer, int) { peer.wait_for_end(); });
  const Dialer::Result result =
      dial({at("127.0.0.1", server.port()), at("127.0.0.2", server.port())}, 24h);
  ASSERT_TRUE(result.socket);
  EXPECT_EQ(attempts_, (std::vector<std::string>{"127.0.0.1"}));
}

TEST_F(DialerTest, WhereAllRefuseTheLastSaysWhy) {
  std::uint16_t port = 0;
  {
    const ByteServer gone([](Peer&, int) {});
    port = gone.port();
  }
  const Dialer::Result result = dial({at("127.0.0.2", port), at("127.0.0.3", port)}, 24h);
  EXPECT_FALSE(result.socket);
  EXPECT_EQ(result.failed.size(), 2u);
  EXPECT_EQ(result.error, asio::error::connection_refused);
}

TEST_F(DialerTest, ItEndsWhenItIsCancelledAndLeavesNothingOpen) {
  const ByteServer server([](Peer& peer, int) { peer.wait_for_end(); });
  const DeadAddress one("127.0.0.2", server.port());
  const DeadAddress two("127.0.0.3", server.port());
  on_attempt_ = [this] {
    if (attempts_.size() == 2) asio::post(io_, [this] { dialer_.cancel(); });
  };
  const std::ptrdiff_t before = open_files();
  const Dialer::Result result =
      dial({at("127.0.0.2", server.port()), at("127.0.0.3", server.port())}, 1ms);
  EXPECT_FALSE(result.socket);
  EXPECT_TRUE(result.failed.empty());
  EXPECT_EQ(result.error, asio::error::operation_aborted);
  EXPECT_EQ(open_files(), before);
}

}  // namespace
}  // namespace geotally::feed
