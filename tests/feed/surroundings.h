// What a test sets up around a follower: TLS certificates made on the spot (nothing with a key
// in it, and nothing that can expire, lies in the repository), files, and other programs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/ssl.h>

namespace geotally::feed {

struct KeyPair {
  std::shared_ptr<EVP_PKEY> key;
  std::shared_ptr<X509> certificate;
  [[nodiscard]] std::string certificate_pem() const;
  [[nodiscard]] std::string key_pem() const;
};

/// A root of its own; self-signed.
KeyPair make_authority(const std::string& name);
/// For `names` ("DNS:localhost", "IP:127.0.0.1"), signed by `authority`, or by itself when
/// that is null; valid from `from_s` to `until_s` seconds from now.
KeyPair make_certificate(const std::string& names, const KeyPair* authority, long from_s = -3600,
                         long until_s = 3600);
std::shared_ptr<SSL_CTX> make_server(const KeyPair& pair);

/// A directory that is gone with this object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Writes `content` to `name`; its whole path.
  std::string write(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

/// A program that runs beside the test and ends with this object.
class Child {
 public:
  explicit Child(std::vector<std::string> command);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// The next line of its standard output, without the newline; empty at its end.
  std::string read_line();

 private:
  int process_ = -1;
  int output_ = -1;
};

/// A TCP port of the loopback interface that is free at this moment.
std::uint16_t free_port();
/// Waits until something listens there; false after 20 s.
bool wait_for_port(std::uint16_t port);

}  // namespace geotally::feed
