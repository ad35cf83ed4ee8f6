// What the probes of a node cost: a prober for each of many pods that are not there, over real
// sockets, against a server in a process of its own. docs/benchmarks.md has the commands, with the
// network namespace that it wants to be alone in; commands in containers, which need a node, are
// measured by bench/cluster_pods.py.
//
//   probes_bench KIND [PODS [SECONDS]]    tcp, http, https, grpc, or all
// Each pod has a liveness and a readiness probe of that kind, with periods of 10 s; of all kinds,
// one tcpSocket, and one of the others.
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "http/poller.h"
#include "http/server.h"
#include "http/tls_server.h"
#include "node/event_recorder.h"
#include "node/http_probes.h"
#include "node/prober.h"
#include "pki/certificate_authority.h"

namespace podium::node {
namespace {

using namespace std::chrono_literals;

constexpr int32_t kPeriod = 10;

[[noreturn]] void Die(std::string_view why) {
  std::perror(std::string(why).c_str());
  std::exit(1);
}

// Answers of a server that looks only at how a request begins.
constexpr std::string_view kHttpAnswer =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
// SETTINGS; HEADERS (:status 200, content-type application/grpc); DATA (SERVING); the trailers,
// with grpc-status 0.
using namespace std::string_view_literals;
constexpr std::string_view kGrpcAnswer =
    "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    "\x00\x00\x13\x01\x04\x00\x00\x00\x01\x88\x5F\x10"
    "application/grpc"
    "\x00\x00\x07\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x02\x08\x01"
    "\x00\x00\x0F\x01\x05\x00\x00\x00\x01\x00\x0B"
    "grpc-status\x01"
    "0"sv;

// One request a connection, which the client closes.
void Answer(int fd) {
  std::array<char, 4096> request;
  const ssize_t count = read(fd, request.data(), request.size());
  if (count <= 0) {
    close(fd);
    return;
  }
  const std::string_view text(request.data(), static_cast<size_t>(count));
  if (text.starts_with("GET ")) (void)!write(fd, kHttpAnswer.data(), kHttpAnswer.size());
  if (text.starts_with("PRI ")) (void)!write(fd, kGrpcAnswer.data(), kGrpcAnswer.size());
}

[[noreturn]] void ServeForever(int listener) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{.events = EPOLLIN, .data = {.fd = listener}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  std::array<epoll_event, 256> events;
  while (true) {
    const int count = epoll_wait(epoll, events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd != listener) {
        Answer(fd);
        continue;
      }
      for (int client = 0;
           (client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        epoll_event incoming{.events = EPOLLIN, .data = {.fd = client}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, client, &incoming);
      }
    }
  }
}

[[noreturn]] void ServeTlsForever(http::Listener listener) {
  // Probes look at no name and no signature.
  auto own = pki::CertificateAuthority::Create("bench", 0, int64_t{1} << 33);
  if (!own.ok()) Die("certificate");
  auto tls =
      http::TlsServer::Create({.certificate = own->certificate().Pem(), .key = own->key().Pem()});
  if (!tls.ok()) Die("certificate");
  std::vector<http::Endpoint> endpoints;
  endpoints.push_back({std::move(listener), *std::move(tls)});
  http::ServerOptions options;
  options.treatment = [](const http::RequestHead&) { return http::Treatment{.on_loop = true}; };
  auto server = http::Server::Start(
      std::move(endpoints), std::move(options),
      [](std::shared_ptr<http::Exchange> exchange) { (void)exchange->Respond(200, {}, "ok"); });
  if (!server.ok()) Die("server");
  while (true) pause();
}

struct Ports {
  uint16_t plain = 0;
  uint16_t tls = 0;
};

// On every address, each in a process that ends with this one.
Ports StartServers() {
  auto plain = http::Listener::Tcp("0.0.0.0", 0);
  auto tls = http::Listener::Tcp("0.0.0.0", 0);
  if (!plain.ok() || !tls.ok()) Die("listening");
  const Ports ports{.plain = plain->port(), .tls = tls->port()};
  for (const bool secure : {false, true}) {
    const pid_t child = fork();
    if (child < 0) Die("fork");
    if (child != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (secure) ServeTlsForever(*std::move(tls));
    ServeForever(plain->fd());
  }
  return ports;
}

class NoCommands : public CommandRunner {
 public:
  void RunInContainer(const std::string& /*container_id*/,
                      const std::vector<std::string>& /*command*/, std::chrono::seconds /*timeout*/,
                      Done done) override {
    done(Error(Code::kUnsupported, "there are no containers here"));
  }
};

// Counts what goes through it.
class CountingProbes : public NetworkProbes {
 public:
  explicit CountingProbes(NetworkProbes& probes) : probes_(probes) {}
  void HttpGet(HttpCall call, Done<Reply> done) override {
    ++count;
    probes_.HttpGet(std::move(call), std::move(done));
  }
  void Connect(const std::string& host, uint16_t port, std::chrono::seconds timeout,
               Done<void> done) override {
    ++count;
    probes_.Connect(host, port, timeout, std::move(done));
  }
  void GrpcHealth(const std::string& host, uint16_t port, const std::string& service,
                  std::chrono::seconds timeout, Done<std::string> done) override {
    ++count;
    probes_.GrpcHealth(host, port, service, timeout, std::move(done));
  }
  std::atomic<int64_t> count = 0;

 private:
  NetworkProbes& probes_;
};

struct Usage {
  double cpu = 0;  // seconds, of this process
  int64_t threads = 0;
  int64_t rss_kib = 0;
};

Usage UsageNow() {
  Usage usage;
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  usage.cpu = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
              (static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    const auto number = [&] { return std::atoll(line.c_str() + line.find(':') + 1); };
    if (line.starts_with("Threads:")) usage.threads = number();
    if (line.starts_with("VmRSS:")) usage.rss_kib = number();
  }
  return usage;
}

v1::Probe ProbeOf(std::string_view kind, Ports ports) {
  v1::Probe probe;
  if (kind == "tcp") {
    probe.tcpSocket.emplace();
    probe.tcpSocket->port = api::IntOrString::FromInt(ports.plain);
  } else if (kind == "grpc") {
    probe.grpc.emplace();
    probe.grpc->port = ports.plain;
  } else {
    probe.httpGet.emplace();
    probe.httpGet->path = "/healthz";
    probe.httpGet->port = api::IntOrString::FromInt(kind == "https" ? ports.tls : ports.plain);
    probe.httpGet->scheme = kind == "https" ? "HTTPS" : "HTTP";
  }
  probe.periodSeconds = kPeriod;
  probe.timeoutSeconds = 1;
  probe.successThreshold = 1;
  probe.failureThreshold = 3;
  return probe;
}

std::shared_ptr<const v1::Pod> PodNumber(int number, std::string_view kind, Ports ports) {
  constexpr std::array kKinds{"http", "https", "grpc"};
  const bool all = kind == "all";
  auto pod = std::make_shared<v1::Pod>();
  pod->metadata.name = "pod-" + std::to_string(number);
  pod->metadata.namespace_ = "default";
  pod->metadata.uid = "uid-" + std::to_string(number);
  v1::Container container;
  container.name = "main";
  container.image = "none";
  container.livenessProbe = ProbeOf(all ? "tcp" : kind, ports);
  container.readinessProbe =
      ProbeOf(all ? kKinds[static_cast<size_t>(number) % kKinds.size()] : kind, ports);
  pod->spec.containers.push_back(std::move(container));
  return pod;
}

// As a runtime shows it: it runs since before the agent, so that its probes are spread.
ObservedPod Observed(int number, int64_t now) {
  ObservedPod observed;
  cri::PodSandboxStatus sandbox;
  sandbox.id = "sandbox-" + std::to_string(number);
  sandbox.state = cri::PodSandboxState::kSandboxReady;
  sandbox.network.emplace();
  sandbox.network->ip = "127." + std::to_string(1 + (number >> 16)) + "." +
                        std::to_string((number >> 8) & 255) + "." + std::to_string(number & 255);
  observed.sandboxes.push_back(std::move(sandbox));
  ObservedContainer container;
  std::string id = std::to_string(number);
  id.insert(0, 64 - id.size(), '0');
  container.id = id;
  container.name = "main";
  container.state = cri::ContainerState::kContainerRunning;
  container.started_at = now - (3600 * kNanosPerSecond);
  observed.containers.push_back(std::move(container));
  return observed;
}

// Uses when the probes began, and when they have gone on for these seconds.
struct Course {
  Usage begin;
  Usage end;
  int64_t most_threads = 0;
  int64_t ran = 0;
};

Course Watch(const CountingProbes& counted, int seconds) {
  std::this_thread::sleep_for(std::chrono::seconds(kPeriod + 1));  // each has run once
  Course course{.begin = UsageNow(), .end = {}, .ran = -counted.count};
  for (int i = 0; i < seconds; ++i) {
    std::this_thread::sleep_for(1s);
    course.most_threads = std::max(course.most_threads, UsageNow().threads);
  }
  course.end = UsageNow();
  course.ran += counted.count;
  return course;
}

void Measure(std::string_view kind, int pods, int seconds, Ports ports) {
  const SystemClock clock;
  ThreadExecutor executor;
  auto poller = http::Poller::Create();
  if (!poller.ok()) Die("poller");
  auto network = HttpProbes::Create(*poller, executor);
  if (!network.ok()) Die("probes");
  CountingProbes counted(**network);
  NoCommands commands;
  ProbeWheel wheel(executor,
                   [] { return std::chrono::steady_clock::now().time_since_epoch().count(); });
  EventRecorder events(clock, "bench");
  ProbeMetrics metrics;
  std::this_thread::sleep_for(1s);
  const Usage bare = UsageNow();
  std::vector<std::shared_ptr<Prober>> probers;
  std::vector<std::shared_ptr<const v1::Pod>> all;
  for (int i = 0; i < pods; ++i) {
    all.push_back(PodNumber(i, kind, ports));
    probers.push_back(std::make_shared<Prober>(
        Prober::Services{clock, wheel, commands, counted, events, metrics}, [] {}));
    probers.back()->Sync(all.back(), Observed(i, clock.Now()));
  }
  const Course course = Watch(counted, seconds);
  int ready = 0;
  for (int i = 0; i < pods; ++i) {
    const std::string id = Observed(i, 0).containers[0].id;
    const v1::Container& container = all[static_cast<size_t>(i)]->spec.containers[0];
    ready += probers[static_cast<size_t>(i)]->Ready(container, id) ? 1 : 0;
  }
  const auto ran = static_cast<double>(course.ran);
  const double cpu = course.end.cpu - course.begin.cpu;
  std::printf(
      "%.*s: %d probes, %.0f a second, %d of %d ready, %zu events\n"
      "  processor        %8.2f %% of a core, %.1f us a probe\n"
      "  threads          %8lld at most (%lld without probes)\n"
      "  memory           %8lld KiB, %.2f KiB a probe with its pod\n",
      static_cast<int>(kind.size()), kind.data(), 2 * pods, ran / seconds, ready, pods,
      events.List("").size(), 100 * cpu / seconds, ran > 0 ? 1e6 * cpu / ran : 0,
      static_cast<long long>(course.most_threads), static_cast<long long>(bare.threads),
      static_cast<long long>(course.end.rss_kib),
      pods > 0 ? static_cast<double>(course.end.rss_kib - bare.rss_kib) / (2 * pods) : 0);
  for (const auto& prober : probers) prober->Stop();
  (*poller)->Stop();
}

}  // namespace
}  // namespace podium::node

int main(int argc, char** argv) {
  const std::string_view kind = argc > 1 ? argv[1] : "";
  const int pods = argc > 2 ? std::atoi(argv[2]) : 5000;
  const int seconds = argc > 3 ? std::atoi(argv[3]) : 30;
  constexpr std::array<std::string_view, 5> kKinds{"tcp", "http", "https", "grpc", "all"};
  if (std::ranges::find(kKinds, kind) == kKinds.end() || pods < 0 || pods > 1'000'000 ||
      seconds < 1) {
    std::fputs("usage: probes_bench tcp|http|https|grpc|all [PODS [SECONDS]]\n", stderr);
    return 2;
  }
  podium::node::Measure(kind, pods, seconds, podium::node::StartServers());
  return 0;
}
