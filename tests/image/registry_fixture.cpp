#include "image/registry_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "http/url.h"
#include "image/platform.h"
#include "image/tar_builder.h"

namespace podium::image {
namespace {

constexpr char kTlsHandshake = 22;
constexpr const char* kProgram = "/usr/bin/docker-registry";

std::string ReadFile(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// "listening on 127.0.0.1:41013" of the log.
uint16_t PortIn(const std::string& log) {
  constexpr std::string_view kWords = "listening on 127.0.0.1:";
  const size_t at = log.find(kWords);
  if (at == log.npos) return 0;
  return static_cast<uint16_t>(std::atoi(log.c_str() + at + kWords.size()));
}

const http::Client& PlainClient() {
  static const auto* const kClient = new http::Client(*http::Client::Create());
  return *kClient;
}

http::Response Send(const http::Request& request) {
  auto response = PlainClient().Send(request);
  if (!response.ok()) {
    ADD_FAILURE() << request.url << ": " << response.error().message();
    std::abort();
  }
  return *std::move(response);
}

std::string ReadAllOf(int fd) {
  std::string text;
  std::array<char, 65536> buffer{};
  ssize_t count = 0;
  while ((count = read(fd, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<size_t>(count));
  }
  return text;
}

std::string Relay(uint16_t port, const std::string& bytes) {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return {};
  }
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t count = send(fd.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count <= 0) return {};
    rest.remove_prefix(static_cast<size_t>(count));
  }
  return ReadAllOf(fd.get());
}

}  // namespace

bool HaveDockerRegistry() { return access(kProgram, X_OK) == 0; }

bool RunProgram(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(null, STDERR_FILENO);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = -1;
  return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

DockerRegistry::DockerRegistry(const DockerRegistryOptions& options) {
  static std::atomic<int> number = 0;
  const std::string base = options.storage + "/../registry-" + std::to_string(number++);
  std::ofstream config(base + ".yml");
  config << "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: "
         << options.storage << "\nhttp:\n  addr: 127.0.0.1:0\n  relativeurls: true\n";
  if (!options.certificate.empty()) {
    config << "  tls:\n    certificate: " << options.certificate << "\n    key: " << options.key
           << '\n';
  }
  if (!options.auth.empty()) config << "auth:\n" << options.auth;
  config.close();
  const std::string log = base + ".log";
  const std::string config_path = base + ".yml";
  const UniqueFd log_file(open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(log_file.get(), STDOUT_FILENO);
    dup2(log_file.get(), STDERR_FILENO);
    execl(kProgram, kProgram, "serve", config_path.c_str(), nullptr);
    _exit(127);
  }
  for (int i = 0; i < 600 && port_ == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    port_ = PortIn(ReadFile(log));
  }
  if (port_ == 0) ADD_FAILURE() << "docker-registry does not start:\n" << ReadFile(log);
}

DockerRegistry::~DockerRegistry() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void PushBlob(const std::string& host, const std::string& repository, const std::string& bytes) {
  http::Request start{.method = "POST",
                      .url = "http://" + host + "/v2/" + repository + "/blobs/uploads/"};
  const auto started = Send(start);
  ASSERT_EQ(started.status(), 202);
  auto url = started.url().Resolve(started.headers().Get("Location"));
  ASSERT_TRUE(url.ok());
  url->query = url->query.value_or("") + (url->query ? "&" : "") +
               "digest=" + http::PercentEncode(DigestOf(bytes).String());
  http::Request put{.method = "PUT", .url = url->ToString(), .body = bytes};
  put.headers.Add("Content-Type", "application/octet-stream");
  ASSERT_EQ(Send(put).status(), 201);
}

Digest PushManifest(const std::string& host, const std::string& repository,
                    const std::string& reference, const std::string& media_type,
                    const std::string& bytes) {
  http::Request put{.method = "PUT",
                    .url = "http://" + host + "/v2/" + repository + "/manifests/" + reference,
                    .body = bytes};
  put.headers.Add("Content-Type", media_type);
  auto response = Send(put);
  EXPECT_EQ(response.status(), 201) << *response.ReadAll(1 << 16);
  return DigestOf(bytes);
}

Digest PushImage(const std::string& host, const std::string& repository, const std::string& tag,
                 const ImageBuilder& image) {
  for (const ImageBuilder::Blob& layer : image.layers) PushBlob(host, repository, layer.bytes);
  PushBlob(host, repository, image.Config());
  return PushManifest(host, repository, tag, kManifestType, image.Manifest());
}

ImageBuilder ImageOf(const std::vector<std::string>& texts) {
  ImageBuilder image;
  image.architecture = HostPlatform().architecture;
  for (size_t i = 0; i < texts.size(); ++i) {
    image.Layer(TarBuilder().File(std::to_string(i), texts[i]).Finish());
  }
  return image;
}

std::string Noise(size_t size, unsigned seed) {
  std::minstd_rand random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random() >> 8);
  return bytes;
}

std::string AnswerOf(int status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " " + std::string(http::ReasonPhrase(status)) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n" +
         headers + "\r\n" + body;
}

FaultyProxy::FaultyProxy(uint16_t upstream, Fault fault)
    : upstream_(upstream),
      fault_(std::move(fault)),
      server_(std::make_unique<http::PeerServer>([this](http::Peer& peer, int) { Play(peer); })) {}

void FaultyProxy::Play(http::Peer& peer) {
  // As servers answer to TLS where there is none.
  char first = 0;
  if (recv(peer.fd(), &first, 1, MSG_PEEK) == 1 && first == kTlsHandshake) {
    peer.Send("HTTP/1.0 400 Bad Request\r\n\r\n");
    return;
  }
  Exchange exchange;
  exchange.head = peer.ReadHead();
  if (exchange.head.empty()) return;
  exchange.line = exchange.head.substr(0, exchange.head.find("\r\n"));
  exchange.peer = &peer;
  {
    const std::lock_guard lock(mutex_);
    exchange.number = static_cast<int>(heads_.size());
    for (const std::string& head : heads_) {
      if (head.starts_with(exchange.line + "\r\n")) ++exchange.same;
    }
    heads_.push_back(exchange.head);
  }
  std::string request = exchange.head;
  request.insert(request.find("\r\n") + 2, "Connection: close\r\n");
  exchange.answer = Relay(upstream_, request);
  fault_(exchange);
  if (!exchange.answer.empty()) peer.Send(exchange.answer);
}

int FaultyProxy::Count(std::string_view text) const {
  const std::lock_guard lock(mutex_);
  int count = 0;
  for (const std::string& head : heads_) {
    if (head.substr(0, head.find("\r\n")).find(text) != std::string::npos) ++count;
  }
  return count;
}

std::vector<std::string> FaultyProxy::heads() const {
  const std::lock_guard lock(mutex_);
  return heads_;
}

}  // namespace podium::image
