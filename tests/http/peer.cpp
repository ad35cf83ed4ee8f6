#include "http/peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

extern char** environ;

namespace podium::http {
namespace {

constexpr int kWaitMs = 5000;

// Runs a program of the system to its end.
void Run(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ASSERT_EQ(error, 0) << words[0] << ": error " << error;
  int status = 0;
  waitpid(pid, &status, 0);
  ASSERT_EQ(status, 0) << words[0] << " " << words[1];
}

void MakeCertificate(const std::string& folder, const std::string& name,
                     std::vector<std::string> more) {
  std::vector<std::string> words = {"openssl",
                                    "req",
                                    "-x509",
                                    "-newkey",
                                    "ec",
                                    "-pkeyopt",
                                    "ec_paramgen_curve:P-256",
                                    "-nodes",
                                    "-out",
                                    folder + "/" + name + ".pem",
                                    "-keyout",
                                    folder + "/" + name + ".key"};
  words.insert(words.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  Run(std::move(words));
}

std::vector<std::string> SignedBy(const std::string& folder, const std::string& subject,
                                  const std::string& names) {
  return {"-subj",   subject,
          "-CA",     folder + "/ca.pem",
          "-CAkey",  folder + "/ca.key",
          "-addext", "subjectAltName=" + names,
          "-addext", "basicConstraints=CA:FALSE"};
}

std::shared_ptr<SSL_CTX> ServerContext(const PeerOptions& options) {
  const std::string base = TestCertificates::Get().folder + "/";
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  EXPECT_EQ(SSL_CTX_use_certificate_file(
                context.get(), (base + options.certificate + ".pem").c_str(), SSL_FILETYPE_PEM),
            1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey_file(
                context.get(), (base + options.certificate + ".key").c_str(), SSL_FILETYPE_PEM),
            1);
  if (options.ask_client_certificate) {
    SSL_CTX_load_verify_locations(context.get(), (base + "ca.pem").c_str(), nullptr);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

UniqueFd Listen(const PeerOptions& options, uint16_t* port) {
  if (!options.unix_path.empty()) {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, options.unix_path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(fd.get(), 64), 0);
    return fd;
  }
  UniqueFd fd(socket(options.ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_addr = in6addr_loopback;
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address =
      options.ipv6 ? reinterpret_cast<sockaddr*>(&six) : reinterpret_cast<sockaddr*>(&four);
  socklen_t size = options.ipv6 ? sizeof six : sizeof four;
  EXPECT_EQ(bind(fd.get(), address, size), 0);
  EXPECT_EQ(listen(fd.get(), 64), 0);
  EXPECT_EQ(getsockname(fd.get(), address, &size), 0);
  *port = ntohs(options.ipv6 ? six.sin6_port : four.sin_port);
  return fd;
}

}  // namespace

const TestCertificates& TestCertificates::Get() {
  static const TestFolder* const kFolder = new TestFolder;
  static const TestCertificates kCertificates = [] {
    const std::string& folder = kFolder->path();
    std::atexit([] { std::filesystem::remove_all(kFolder->path()); });
    MakeCertificate(folder, "ca", {"-subj", "/CN=test root"});
    MakeCertificate(folder, "server",
                    SignedBy(folder, "/CN=server", "DNS:localhost,IP:127.0.0.1,IP:::1"));
    MakeCertificate(folder, "other", SignedBy(folder, "/CN=localhost", "DNS:other.example"));
    MakeCertificate(folder, "client", SignedBy(folder, "/CN=client", "DNS:client"));
    return TestCertificates{folder};
  }();
  return kCertificates;
}

std::string TestCertificates::Read(const std::string& name) const {
  std::ifstream file(folder + "/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Peer::~Peer() {
  if (ssl_) {
    SSL_shutdown(ssl_);
    SSL_free(ssl_);
  }
}

bool Peer::Fill() {
  char bytes[16384];
  ssize_t size = 0;
  pollfd polled{fd_.get(), POLLIN, 0};
  if (!(ssl_ && SSL_pending(ssl_) > 0) && poll(&polled, 1, kWaitMs) <= 0) return false;
  size = ssl_ ? SSL_read(ssl_, bytes, sizeof bytes) : recv(fd_.get(), bytes, sizeof bytes, 0);
  if (size <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(size));
  return true;
}

std::string Peer::ReadHead() {
  size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) return "";
  }
  return ReadExactly(end + 4);
}

std::string Peer::ReadExactly(size_t size) {
  while (buffer_.size() < size && Fill()) {
  }
  const std::string taken = buffer_.substr(0, size);
  buffer_.erase(0, taken.size());
  return taken;
}

std::string Peer::ReadSome() {
  if (buffer_.empty()) Fill();
  return std::exchange(buffer_, {});
}

bool Peer::Buffered() const { return !buffer_.empty() || (ssl_ && SSL_pending(ssl_) > 0); }

std::string Peer::ReadToEnd() {
  while (Fill()) {
  }
  return std::exchange(buffer_, {});
}

bool Peer::Send(std::string_view bytes) {
  if (ssl_) return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
  while (!bytes.empty()) {
    const ssize_t size = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

bool Peer::Answer(std::string_view body) {
  return Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
              std::string(body));
}

void Peer::CloseWrite() { shutdown(fd_.get(), SHUT_WR); }

void Peer::Reset() {
  const linger abort{1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  fd_.reset();
}

PeerServer::PeerServer(Play play, PeerOptions options)
    : play_(std::move(play)), options_(std::move(options)), stop_(eventfd(0, EFD_CLOEXEC)) {
  if (!options_.certificate.empty()) tls_ = ServerContext(options_);
  listener_ = Listen(options_, &port_);
  thread_ = std::thread([this] { Run(); });
}

PeerServer::~PeerServer() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

std::string PeerServer::Url(std::string_view path) const {
  return std::string(tls_ ? "https" : "http") + "://" + (options_.ipv6 ? "[::1]" : "127.0.0.1") +
         ":" + std::to_string(port_) + std::string(path);
}

void PeerServer::Run() {
  std::vector<std::thread> threads;
  while (true) {
    pollfd polled[2] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    poll(polled, 2, -1);
    if (polled[1].revents != 0) break;
    UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) continue;
    const int number = connections_++;
    threads.emplace_back([this, number, fd = std::move(fd)]() mutable {
      // OpenSSL writes with write(2). In this thread only: the client must do without.
      sigset_t pipe;
      sigemptyset(&pipe);
      sigaddset(&pipe, SIGPIPE);
      pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
      SSL* ssl = nullptr;
      if (tls_) {
        ssl = SSL_new(tls_.get());
        SSL_set_fd(ssl, fd.get());
        if (SSL_accept(ssl) != 1) {
          ERR_clear_error();
          SSL_free(ssl);
          return;
        }
      }
      Peer peer(std::move(fd), ssl);
      play_(peer, number);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TestFolder::TestFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "podium-http-XXXXXX").string();
  path_ = mkdtemp(pattern.data());
}

TestFolder::~TestFolder() { std::filesystem::remove_all(path_); }

}  // namespace podium::http
