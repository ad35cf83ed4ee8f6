// kubectl port-forward (upstream's k8s.io/kubectl/pkg/cmd/portforward, release 1.32). Each
// connection is a session of its own, so that one that breaks off ends no other.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/text.h"
#include "base/unique_fd.h"
#include "cli/commands.h"
#include "cli/json_members.h"
#include "cli/option_values.h"
#include "cli/pod_target.h"
#include "cli/selection.h"
#include "cli/server_errors.h"
#include "cli/server_writes.h"
#include "cli/text.h"
#include "http/listener.h"
#include "reflect/json.h"

namespace podium::cli {
namespace {

namespace v1 = api::core::v1;
using reflect::JsonValue;

constexpr auto kPatience = std::chrono::minutes(1);

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

struct PortPair {
  uint16_t local = 0;  // 0: any that is free
  uint16_t remote = 0;
};

std::optional<uint16_t> NumberOf(std::string_view text) {
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

std::optional<uint16_t> ContainerPort(const v1::Pod& pod, std::string_view name) {
  for (const v1::Container& container : pod.spec.containers) {
    for (const v1::ContainerPort& port : container.ports) {
      if (port.name == name) return static_cast<uint16_t>(port.containerPort);
    }
  }
  return {};
}

// Where a service's port, by number or name, leads to in the pod.
Result<uint16_t> ServicePort(const v1::Service& service, const v1::Pod& pod,
                             const std::string& text) {
  const auto number = NumberOf(text);
  for (const v1::ServicePort& port : service.spec.ports) {
    if (number ? port.port != *number : port.name != text) continue;
    const auto same = static_cast<uint16_t>(port.port);
    if (service.spec.clusterIP == "None") return same;
    const std::string target = port.targetPort.String();
    if (const auto direct = NumberOf(target)) return *direct == 0 ? same : *direct;
    if (const auto named = ContainerPort(pod, target)) return *named;
    return Usage("Pod '" + pod.metadata.name + "' does not have a named port '" + target + "'");
  }
  return Usage("Service " + service.metadata.name + " does not have a " +
               (number ? "service port " : "named port ") + text);
}

// Of what the command line names, if it is a service.
Result<std::optional<v1::Service>> ServiceOf(Server& server, const std::string& word) {
  const size_t slash = word.find('/');
  if (slash == word.npos || server.is_agent()) return std::optional<v1::Service>();
  TRY(const ServerResources* resources, server.Resources());
  TRY(const ServerResource* resource, resources->Resolve(word.substr(0, slash)));
  if (resource->kind != "Service" || !resource->group.empty()) return std::optional<v1::Service>();
  const Selected item{
      .resource = resource, .namespace_ = server.namespace_(), .name = word.substr(slash + 1)};
  TRY(const JsonValue object, Writer(server, DryRun::kNone, "", "").Get(item));
  TRY(v1::Service service,
      reflect::FromJson<v1::Service>(reflect::ToText(object), {.strict = false}));
  return std::optional<v1::Service>(std::move(service));
}

// "80", "8080:80", ":80", "http".
Result<PortPair> PairOf(const std::string& word, const std::optional<v1::Service>& service,
                        const v1::Pod& pod) {
  const auto parts = Split(word, ':');
  if (parts.size() > 2) return Usage("invalid port format '" + word + "'");
  const std::string remote(parts.back());
  PortPair pair;
  if (service) {
    TRY(pair.remote, ServicePort(*service, pod, remote));
  } else if (const auto number = NumberOf(remote)) {
    pair.remote = *number;
  } else if (const auto named = ContainerPort(pod, remote)) {
    pair.remote = *named;
  } else {
    return Usage("Pod '" + pod.metadata.name + "' does not have a named port '" + remote + "'");
  }
  if (pair.remote == 0) return Usage("remote port must be > 0");
  if (parts.size() == 1) {
    pair.local = NumberOf(remote).value_or(pair.remote);
  } else if (!parts[0].empty()) {
    const auto local = NumberOf(parts[0]);
    if (!local) {
      return Usage("error parsing local port '" + std::string(parts[0]) +
                   "': it is a number of a port");
    }
    pair.local = *local;
  }
  return pair;
}

// What all connections need, as long as one is there.
struct Forwarding {
  client::Client client;
  client::ObjectKey pod;
  Streams streams;
};

// One connection, to its end.
class Forwarded {
 public:
  Forwarded(std::shared_ptr<const Forwarding> all, PortPair ports, UniqueFd local)
      : all_(std::move(all)), ports_(ports), local_(std::move(local)) {}

  void Run() {
    const auto ended = Pass();
    if (ended.ok()) return;
    (void)all_->streams.Err("an error occurred forwarding " + std::to_string(ports_.local) +
                            " -> " + std::to_string(ports_.remote) + ": " +
                            Printable(ended.error().message()) + '\n');
  }

 private:
  Result<void> Pass() {
    TRY(auto remote, all_->client.PortForward(all_->pod, ports_.remote));
    std::thread sender([&] { Send(remote); });
    auto received = Receive(remote);
    // The sender, too, has nobody to send to any more.
    (void)shutdown(local_.get(), SHUT_RDWR);
    if (!received.ok()) remote.Stop();
    sender.join();
    return received;
  }

  void Send(client::PortConnection& remote) {
    std::array<char, 32768> buffer;
    while (true) {
      const ssize_t size = read(local_.get(), buffer.data(), buffer.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) break;
      if (!remote.Write({buffer.data(), static_cast<size_t>(size)}).ok()) return;
    }
    // Servers of old cannot be told of an end of one side; the connection stays until the other.
    (void)remote.CloseWrite().ok();
  }

  Result<void> Receive(client::PortConnection& remote) {
    std::array<char, 32768> buffer;
    while (true) {
      TRY(const size_t size, remote.Read(buffer));
      if (size == 0) return {};
      std::string_view rest(buffer.data(), size);
      while (!rest.empty()) {
        const ssize_t sent = send(local_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) {
          // Who asked has gone.
          remote.Stop();
          return {};
        }
        rest.remove_prefix(static_cast<size_t>(sent));
      }
    }
  }

  const std::shared_ptr<const Forwarding> all_;
  const PortPair ports_;
  const UniqueFd local_;
};

struct Door {
  http::Listener listener;
  PortPair ports;
};

// A door at each address; of localhost's two one is enough.
Result<void> Open(PortPair ports, const std::vector<std::string>& addresses, const Streams& streams,
                  std::vector<Door>* doors) {
  std::optional<Error> error;
  size_t opened = 0;
  for (const std::string& address : addresses) {
    auto listener = http::Listener::Tcp(address, ports.local);
    if (!listener.ok()) {
      error = std::move(listener).error();
      continue;
    }
    ++opened;
    ports.local = listener->port();
    const bool six = address.contains(':');
    std::string line = "Forwarding from ";
    line.append(six ? "[" : "").append(address).append(six ? "]:" : ":");
    line += std::to_string(ports.local) + " -> " + std::to_string(ports.remote) + '\n';
    if (!streams.Out(line)) return Error(Code::kCancelled, "nobody reads the output");
    doors->push_back({std::move(*listener), ports});
  }
  if (opened > 0) return {};
  return Error(error->code(),
               "unable to listen on port " + std::to_string(ports.local) + ": " + error->message());
}

// Until a signal ends it.
Result<Outcome> Serve(const std::vector<Door>& doors,
                      const std::shared_ptr<const Forwarding>& all) {
  std::vector<pollfd> fds;
  fds.reserve(doors.size());
  for (const Door& door : doors) fds.push_back({door.listener.fd(), POLLIN, 0});
  while (true) {
    if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) {
      return Error::FromErrno(errno, "poll");
    }
    for (size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].revents == 0) continue;
      UniqueFd local(accept4(fds[i].fd, nullptr, nullptr, SOCK_CLOEXEC));
      if (!local) continue;
      const PortPair ports = doors[i].ports;
      if (!all->streams.Out("Handling connection for " + std::to_string(ports.local) + '\n')) {
        return Outcome{kFailed, {}, {}};
      }
      // It has what it needs of its own, and ends with its connection or with the program.
      std::thread([all, ports, socket = std::move(local)]() mutable {
        Forwarded(all, ports, std::move(socket)).Run();
      }).detach();
    }
  }
}

Result<std::vector<std::string>> AddressesOf(const Invocation& invocation) {
  TRY(auto named, PartsOption(invocation, "address"));
  if (named.empty()) named = {"localhost"};
  std::vector<std::string> addresses;
  for (std::string& address : named) {
    if (address == "localhost") {
      addresses.insert(addresses.end(), {"127.0.0.1", "::1"});
    } else {
      addresses.push_back(std::move(address));
    }
  }
  return addresses;
}

Result<Outcome> Forward(const Invocation& invocation, const Streams& streams) {
  const auto& arguments = invocation.arguments();
  TRY(const auto addresses, AddressesOf(invocation));
  TRY(const auto patience, PodPatienceOf(invocation, "port-forward", kPatience));
  TRY(const PodTarget target,
      FindPod(invocation, streams, {arguments[0]}, PodChoice::kLiveliest, patience));
  if (target.pod.status.phase != "Running") {
    return Usage("unable to forward port because pod is not running. Current status=" +
                 target.pod.status.phase);
  }
  TRY(const auto service, ServiceOf(*target.server, arguments[0]));
  std::vector<Door> doors;
  for (size_t i = 1; i < arguments.size(); ++i) {
    TRY(const PortPair ports, PairOf(arguments[i], service, target.pod));
    TRY_VOID(Open(ports, addresses, streams, &doors));
  }
  return Serve(doors, std::make_shared<const Forwarding>(
                          Forwarding{target.Client(), target.Key(), streams}));
}

Outcome RunPortForward(const Invocation& invocation, const Streams& streams) {
  if (invocation.arguments().size() < 2) {
    return ServerFailure(ArgumentsError(
        "port-forward", "TYPE/NAME and list of ports are required for port-forward"));
  }
  auto outcome = Forward(invocation, streams);
  if (outcome.ok()) return *std::move(outcome);
  return PodFailure("port-forward", outcome.error());
}

constexpr Option kOwnOptions[] = {
    {.name = "address",
     .value = "ADDRESS,...",
     .help = "where to listen: addresses, or localhost, which is 127.0.0.1 and ::1 and what counts "
             "if not given",
     .repeatable = true},
    kPodRunningTimeoutOption,
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command PortForwardCommand() {
  return {
      .name = "port-forward",
      .summary = "Lead ports of this machine to ports of a pod",
      .arguments = "POD | TYPE/NAME [LOCAL:]PORT...",
      .max_arguments = 1000,
      .details =
          "Until Ctrl-C. A port may be one of a container or of the service by its name; without "
          "LOCAL the same is taken here, and \":PORT\" takes one that is free.",
      .example =
          "  podium port-forward web 8080:80\n"
          "  podium port-forward svc/web :http\n"
          "  podium port-forward deploy/web 80 --address=0.0.0.0\n",
      .options = kOptions,
      .live = RunPortForward,
  };
}

}  // namespace podium::cli
