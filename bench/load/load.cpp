// Loads an API server, podium's or any other, and says what it did:
//
//   load --server https://127.0.0.1:6443 --ca ca.crt --cert admin.crt --key admin.key
//        [--token TOKEN] [--pid PID[,PID...]] [--seconds 5] [--clients 1,10,50]
//        [--pods 1000,10000] [--watchers 1,100,1000] [--events 200] [--objects 10000,100000]
//        [--kind configmaps] WHAT...
//
// WHAT: creates (ConfigMaps of 1 KiB), gets, lists (of pods), fanout (one event to many watchers),
// memory (of the server with so many objects, --kind pods too), get=PATH (any path), ready=COMMAND
// (from the start of a program to /readyz; it is ended after).
// Prints a line of JSON for each figure: latencies in microseconds, and processor time of PID.
//
// HTTP/1.1 with keep-alive, one thread. Makes a namespace of its own and deletes it at the end.
#include <fcntl.h>
#include <openssl/ssl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "base/text.h"
#include "http/url.h"
#include "load/client.h"
#include "load/memory.h"
#include "load/options.h"

namespace podium::load {
namespace {

double Seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

// User and system time of the processes, in seconds.
double ProcessorTime(const std::vector<int>& pids) {
  double seconds = 0;
  for (const int pid : pids) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(file, line);
    // Behind the name, which may hold anything: fields 14 and 15.
    std::istringstream rest(line.substr(std::min(line.rfind(')') + 1, line.size())));
    std::string word;
    for (int i = 3; i < 14; ++i) rest >> word;
    double user = 0;
    double system = 0;
    rest >> user >> system;
    seconds += (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  return seconds;
}

double OwnTime() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The time of one request after the other.
class Latencies {
 public:
  void Add(Clock::duration time) {
    all_.push_back(std::chrono::duration<float, std::micro>(time).count());
  }
  size_t size() const { return all_.size(); }
  double At(double part) {
    if (all_.empty()) return 0;
    const auto at = static_cast<size_t>(part * static_cast<double>(all_.size() - 1));
    std::ranges::nth_element(all_, all_.begin() + static_cast<ptrdiff_t>(at));
    return static_cast<double>(all_[at]);
  }

 private:
  std::vector<float> all_;
};

// What a figure began with, to be divided by at its end.
struct Watch {
  explicit Watch(const Options& asked) : options(asked) {}
  const Options& options;
  const Clock::time_point begin = Clock::now();
  const double processor = ProcessorTime(options.pids);
  const double own = OwnTime();

  void Print(const std::string& what, const std::string& key, size_t value, Latencies& times,
             size_t errors) const {
    const double seconds = Seconds(Clock::now() - begin);
    const double spent = ProcessorTime(options.pids) - processor;
    const auto count = static_cast<double>(std::max<size_t>(times.size(), 1));
    std::printf(
        "{\"what\":\"%s\",\"%s\":%zu,\"requests\":%zu,\"errors\":%zu,\"seconds\":%.3f,"
        "\"rate\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"server_cpu_s\":%.2f,"
        "\"server_cpu_us_each\":%.2f,\"own_cpu_us_each\":%.2f}\n",
        what.c_str(), key.c_str(), value, times.size(), errors, seconds, count / seconds,
        times.At(0.5), times.At(0.99), spent, spent * 1e6 / count, (OwnTime() - own) * 1e6 / count);
    std::fflush(stdout);
  }
};

// As many clients as wanted send what `request` makes of a number, each one after the other.
Result<void> Drive(const Options& options, const std::string& what, size_t clients, int status,
                   const std::function<std::string(size_t)>& request) {
  std::vector<std::unique_ptr<Connection>> connections;
  TRY(const auto loop, Loop::Create());
  for (size_t i = 0; i < clients; ++i) {
    TRY(auto connection, Connection::Open(options.target));
    loop->Add(*connection);
    connections.push_back(std::move(connection));
  }
  size_t number = 0;
  size_t errors = 0;
  Latencies times;
  Result<void> result;
  const Watch watch(options);
  for (const auto& connection : connections) TRY_VOID(connection->Send(request(number++)));
  const auto span = std::chrono::duration<double>(options.seconds);
  loop->Run(watch.begin + std::chrono::duration_cast<Clock::duration>(span),
            [&](Connection& connection) {
              int got = 0;
              if (!connection.Receive()) {
                result = Error(Code::kUnavailable, "the server hung up");
                return false;
              }
              auto whole = connection.TakeResponse(&got, nullptr);
              if (!whole.ok() || !*whole) return whole.ok();
              times.Add(Clock::now() - connection.sent);
              if (got != status) ++errors;
              result = connection.Send(request(number++));
              return result.ok();
            });
  TRY_VOID(std::move(result));
  watch.Print(what, "clients", clients, times, errors);
  return {};
}

Result<void> Creates(const Options& options) {
  static size_t round = 0;
  for (const size_t clients : options.clients) {
    const std::string prefix = "create-" + std::to_string(round++) + "-";
    TRY_VOID(Drive(options, "create", clients, 201, [&](size_t number) {
      return options.target.Request("POST", InSpace(options, "configmaps"),
                                    ConfigMap(prefix + std::to_string(number)));
    }));
  }
  return {};
}

Result<void> Gets(const Options& options) {
  constexpr size_t kObjects = 100;
  TRY(const auto connection, Connection::Open(options.target));
  std::vector<std::string> requests;
  for (size_t i = 0; i < kObjects; ++i) {
    const std::string name = "get-" + std::to_string(i);
    TRY(const Response made, connection->Ask(options.target.Request(
                                 "POST", InSpace(options, "configmaps"), ConfigMap(name))));
    if (made.status != 201 && made.status != 409) {
      return Error(Code::kUnavailable, "making a ConfigMap: " + made.body);
    }
    requests.push_back(options.target.Request("GET", InSpace(options, "configmaps/" + name)));
  }
  for (const size_t clients : options.clients) {
    TRY_VOID(Drive(options, "get", clients, 200,
                   [&](size_t number) { return requests[number % kObjects]; }));
  }
  return {};
}

Result<void> GetsOf(const Options& options, const std::string& path) {
  const std::string request = options.target.Request("GET", path);
  for (const size_t clients : options.clients) {
    TRY_VOID(Drive(options, "get=" + path, clients, 200, [&](size_t) { return request; }));
  }
  return {};
}

Result<void> Lists(const Options& options) {
  TRY(const auto connection, Connection::Open(options.target));
  size_t made = 0;
  for (const size_t pods : options.pods) {
    for (; made < pods; ++made) {
      TRY(const Response response,
          connection->Ask(options.target.Request("POST", InSpace(options, "pods"),
                                                 Pod("pod-" + std::to_string(made)))));
      if (response.status != 201) {
        return Error(Code::kUnavailable, "making a pod: " + response.body);
      }
    }
    const std::string request = options.target.Request("GET", InSpace(options, "pods"));
    TRY(const Response first, connection->Ask(request));
    std::printf("{\"what\":\"list size\",\"pods\":%zu,\"bytes\":%zu}\n", pods, first.body.size());
    Latencies times;
    const Watch watch(options);
    while (Seconds(Clock::now() - watch.begin) < options.seconds) {
      TRY_VOID(connection->Send(request));
      int status = 0;
      while (true) {
        if (!connection->Receive()) return Error(Code::kUnavailable, "the server hung up");
        TRY(const bool whole, connection->TakeResponse(&status, nullptr));
        if (whole) break;
      }
      times.Add(Clock::now() - connection->sent);
    }
    watch.Print("list", "pods", pods, times, 0);
  }
  return {};
}

size_t CountOf(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

// Where watches begin, so that what other measurements have left is not sent to each of them first.
Result<std::string> VersionNow(const Options& options) {
  TRY(const auto connection, Connection::Open(options.target));
  TRY(const Response list,
      connection->Ask(options.target.Request("GET", InSpace(options, "configmaps?limit=1"))));
  constexpr std::string_view kMember = "\"resourceVersion\":\"";
  const size_t at = list.body.find(kMember);
  if (list.status != 200 || at == std::string::npos) {
    return Error(Code::kUnavailable, "listing ConfigMaps: " + list.body);
  }
  const size_t begin = at + kMember.size();
  return list.body.substr(begin, list.body.find('"', begin) - begin);
}

// One event after the other: how long after the request was sent, and after its answer, the last
// watcher has it.
Result<void> Fanout(const Options& options, size_t watchers) {
  static size_t round = 0;
  const std::string prefix = "event-" + std::to_string(round++) + "-";
  TRY(const auto loop, Loop::Create());
  std::vector<std::unique_ptr<Connection>> connections;
  TRY(const std::string version, VersionNow(options));
  const std::string watch_request = options.target.Request(
      "GET",
      InSpace(options, "configmaps?watch=true&timeoutSeconds=600&resourceVersion=" + version));
  for (size_t i = 0; i < watchers; ++i) {
    TRY(auto connection, Connection::Open(options.target));
    TRY_VOID(connection->Send(watch_request));
    loop->Add(*connection);
    connections.push_back(std::move(connection));
  }
  // Last: servers close connections that say nothing for long.
  TRY(const auto writer, Connection::Open(options.target));
  loop->Add(*writer);
  std::map<Connection*, std::string> tails;
  std::string data;
  // Until all watch.
  loop->Run(Clock::now() + std::chrono::seconds(2), [&](Connection& connection) {
    if (!connection.Receive()) return false;
    data.clear();
    return connection.TakeBody(&data).ok();
  });
  Latencies all;
  Latencies last;
  Latencies after;
  Result<void> result;
  const Watch watch(options);
  for (size_t event = 0; event < options.events; ++event) {
    const std::string name = prefix + std::to_string(event);
    const std::string mark = "\"name\":\"" + name + "\"";
    size_t seen = 0;
    bool answered = false;
    Clock::time_point answer;
    Clock::time_point done;
    TRY_VOID(writer->Send(
        options.target.Request("POST", InSpace(options, "configmaps"), ConfigMap(name))));
    loop->Run(Clock::now() + std::chrono::seconds(10), [&](Connection& connection) {
      if (!connection.Receive()) {
        result = Error(Code::kUnavailable, "the server hung up");
        return false;
      }
      if (&connection == writer.get()) {
        int status = 0;
        auto whole = connection.TakeResponse(&status, nullptr);
        answered = whole.ok() && *whole;
        answer = Clock::now();
      } else {
        std::string& tail = tails[&connection];
        result = connection.TakeBody(&tail);
        if (!result.ok()) return false;
        if (CountOf(tail, mark) > 0) {
          done = Clock::now();
          all.Add(done - writer->sent);
          ++seen;
          tail.clear();
        }
      }
      return !answered || seen < watchers;
    });
    TRY_VOID(std::move(result));
    if (seen < watchers) return Error(Code::kDeadlineExceeded, "an event did not arrive");
    last.Add(done - writer->sent);
    after.Add(std::max(done - answer, Clock::duration(0)));
  }
  watch.Print("fanout, each watcher", "watchers", watchers, all, 0);
  watch.Print("fanout, last watcher", "watchers", watchers, last, 0);
  watch.Print("fanout, last watcher after the answer", "watchers", watchers, after, 0);
  return {};
}

// From the start of a program to the first /readyz that says 200.
Result<void> Ready(const Options& options, const std::string& command) {
  const std::string request = options.target.Request("GET", "/readyz");
  std::vector<std::string> words = {"/bin/sh", "-c", "exec " + command};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const Clock::time_point begin = Clock::now();
  if (posix_spawn(&child, "/bin/sh", nullptr, nullptr, arguments.data(), environ) != 0) {
    return Error::FromErrno(errno, "starting a program");
  }
  bool ready = false;
  while (!ready && Seconds(Clock::now() - begin) < 120) {
    auto connection = Connection::Open(options.target);
    if (connection.ok()) {
      auto answer = (*connection)->Ask(request);
      ready = answer.ok() && answer->status == 200;
    }
    if (!ready) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const double took = Seconds(Clock::now() - begin);
  kill(child, SIGTERM);
  waitpid(child, nullptr, 0);
  if (!ready) return Error(Code::kDeadlineExceeded, "the server did not become ready");
  std::printf("{\"what\":\"ready\",\"milliseconds\":%.1f}\n", took * 1000);
  return {};
}

Result<void> MakeNamespace(const Options& options) {
  TRY(const auto connection, Connection::Open(options.target));
  const auto make = [&](const std::string& path, const std::string& body) -> Result<void> {
    TRY(const Response made, connection->Ask(options.target.Request("POST", path, body)));
    if (made.status == 201 || made.status == 409) return {};
    return Error(Code::kUnavailable, path + ": " + made.body);
  };
  TRY_VOID(make(
      "/api/v1/namespaces",
      R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")" + options.space + R"("}})"));
  // Without a controller that makes it, no pod is admitted.
  return make(InSpace(options, "serviceaccounts"),
              R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default"}})");
}

Result<void> DeleteNamespace(const Options& options) {
  TRY(const auto connection, Connection::Open(options.target));
  TRY_VOID(
      connection->Ask(options.target.Request("DELETE", "/api/v1/namespaces/" + options.space)));
  return {};
}

Result<void> RunOne(const Options& options, const std::string& what) {
  if (what.starts_with("ready=")) return Ready(options, what.substr(6));
  if (what.starts_with("get=")) return GetsOf(options, what.substr(4));
  TRY_VOID(MakeNamespace(options));
  if (what == "creates") return Creates(options);
  if (what == "gets") return Gets(options);
  if (what == "lists") return Lists(options);
  if (what == "memory") return Memory(options);
  if (what != "fanout") return Error(Code::kInvalidArgument, "unknown: " + what);
  for (const size_t watchers : options.watchers) TRY_VOID(Fanout(options, watchers));
  return {};
}

template <class Number>
Result<std::vector<Number>> Numbers(std::string_view text) {
  std::vector<Number> numbers;
  for (const std::string_view word : Split(text, ',')) {
    Number number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size()) {
      return Error(Code::kInvalidArgument, "no number: " + std::string(word));
    }
    numbers.push_back(number);
  }
  return numbers;
}

struct Files {
  std::string ca;
  std::string certificate;
  std::string key;
};

Result<void> OpenTls(const Files& files, Target* target) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX_set_read_ahead(context.get(), 1);
  // A blocking socket that has no whole record must not make us wait.
  SSL_CTX_clear_mode(context.get(), SSL_MODE_AUTO_RETRY);
  if (!files.ca.empty()) {
    if (SSL_CTX_load_verify_file(context.get(), files.ca.c_str()) != 1) {
      return Error(Code::kInvalidArgument, "no certificates: " + files.ca);
    }
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  }
  if (!files.certificate.empty() &&
      (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1 ||
       SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1)) {
    return Error(Code::kInvalidArgument, "no certificate and key: " + files.certificate);
  }
  target->context = std::move(context);
  return {};
}

Result<void> SetOption(const std::string& name, const std::string& value, Options* options,
                       Files* files) {
  if (name == "--server") {
    TRY(const http::Url url, http::Url::Parse(value));
    options->target.host = url.host;
    options->target.port = url.port;
    options->target.tls = url.scheme == "https";
    options->target.host_header = url.host + ":" + std::to_string(url.port);
  } else if (name == "--ca") {
    files->ca = value;
  } else if (name == "--cert") {
    files->certificate = value;
  } else if (name == "--key") {
    files->key = value;
  } else if (name == "--token") {
    options->target.token = value;
  } else if (name == "--pid") {
    TRY(options->pids, Numbers<int>(value));
  } else if (name == "--seconds") {
    options->seconds = std::atof(value.c_str());
  } else if (name == "--clients") {
    TRY(options->clients, Numbers<size_t>(value));
  } else if (name == "--pods") {
    TRY(options->pods, Numbers<size_t>(value));
  } else if (name == "--watchers") {
    TRY(options->watchers, Numbers<size_t>(value));
  } else if (name == "--objects") {
    TRY(options->objects, Numbers<size_t>(value));
  } else if (name == "--kind") {
    options->kind = value;
  } else if (name == "--events") {
    TRY(const auto events, Numbers<size_t>(value));
    options->events = events[0];
  } else {
    return Error(Code::kInvalidArgument, "unknown option " + name);
  }
  return {};
}

Result<void> Run(const std::vector<std::string>& arguments) {
  Options options;
  Files files;
  options.space = "load-" + std::to_string(getpid());
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!arguments[i].starts_with("--")) {
      options.what.push_back(arguments[i]);
      continue;
    }
    if (i + 1 == arguments.size()) {
      return Error(Code::kInvalidArgument, arguments[i] + " wants a value");
    }
    TRY_VOID(SetOption(arguments[i], arguments[i + 1], &options, &files));
    ++i;
  }
  if (options.target.tls) TRY_VOID(OpenTls(files, &options.target));
  bool made = false;
  for (const std::string& what : options.what) {
    TRY_VOID(RunOne(options, what));
    made = made || !what.contains('=');
  }
  return made ? DeleteNamespace(options) : Result<void>();
}

}  // namespace
}  // namespace podium::load

int main(int count, char** words) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto result = podium::load::Run({words + 1, words + count});
  if (result.ok()) return 0;
  std::fprintf(stderr, "load: %s\n", result.error().message().c_str());
  return 1;
}
