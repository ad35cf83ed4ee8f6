#include "network/fake_network.h"

#include <fcntl.h>

#include <cerrno>
#include <optional>
#include <utility>

namespace podium::network {
namespace {

// The pod that holds one of the wanted ports, in words; nothing when all are free.
std::optional<std::string> Conflict(const std::map<std::string, LiveSandbox>& live,
                                    const PodNetworkRequest& wanted) {
  for (const auto& [id, sandbox] : live) {
    for (const PortMapping& held : sandbox.request.ports) {
      for (const PortMapping& port : wanted.ports) {
        if (port.host_port == 0 || port.host_port != held.host_port ||
            port.protocol != held.protocol) {
          continue;
        }
        return "hostPort " + std::to_string(port.host_port) + "/" +
               std::string(ProtocolName(port.protocol)) + " is taken by pod " +
               sandbox.request.pod_namespace + "/" + sandbox.request.pod_name;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

Result<void> FakeNetwork::Enter(const std::string& call, const std::string& sandbox_id) {
  calls_.push_back(sandbox_id.empty() ? call : call + " " + sandbox_id);
  const auto fault = faults_.find(call);
  if (fault == faults_.end()) return {};
  Error error = std::move(fault->second);
  faults_.erase(fault);
  return error;
}

Result<UniqueFd> FakeNetwork::PrepareNamespace(const std::string& sandbox_id) {
  const std::lock_guard lock(mutex_);
  TRY_VOID(Enter("PrepareNamespace", sandbox_id));
  UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!fd) return Error::FromErrno(errno, "/dev/null");
  return fd;
}

Result<PodNetwork> FakeNetwork::Setup(const PodNetworkRequest& request) {
  const std::lock_guard lock(mutex_);
  TRY_VOID(Enter("Setup", request.sandbox_id));
  if (live_.contains(request.sandbox_id)) {
    return Error(Code::kAlreadyExists, "sandbox " + request.sandbox_id + " is set up");
  }
  if (auto holder = Conflict(live_, request)) return Error(Code::kAlreadyExists, *holder);
  const uint32_t number = next_++;
  PodNetwork network{
      .interface = "eth0",
      .mac = "0a:58:0a:d0:00:02",
      .addresses = {"10.208." + std::to_string(number / 256) + "." + std::to_string(number % 256)},
      .gateways = {"10.208.0.1"},
      .host_interface = "veth" + std::to_string(number),
      .mtu = 1500};
  PodNetworkRequest kept = request;
  kept.netns = -1;
  live_[request.sandbox_id] = {std::move(kept), network};
  return network;
}

Result<void> FakeNetwork::Teardown(const std::string& sandbox_id) {
  const std::lock_guard lock(mutex_);
  TRY_VOID(Enter("Teardown", sandbox_id));
  live_.erase(sandbox_id);
  return {};
}

Result<void> FakeNetwork::Check(const std::string& sandbox_id) {
  const std::lock_guard lock(mutex_);
  TRY_VOID(Enter("Check", sandbox_id));
  if (!live_.contains(sandbox_id)) return Error(Code::kNotFound, "no sandbox " + sandbox_id);
  return {};
}

Result<PodCounters> FakeNetwork::Counters(const std::string& sandbox_id) {
  const std::lock_guard lock(mutex_);
  TRY_VOID(Enter("Counters", sandbox_id));
  if (!live_.contains(sandbox_id)) return Error(Code::kNotFound, "no sandbox " + sandbox_id);
  return PodCounters{};
}

Result<void> FakeNetwork::Recover(std::span<const LiveSandbox> live) {
  const std::lock_guard lock(mutex_);
  TRY_VOID(Enter("Recover", ""));
  live_.clear();
  for (const LiveSandbox& sandbox : live) live_[sandbox.request.sandbox_id] = sandbox;
  return {};
}

NetworkStatus FakeNetwork::Status() {
  const std::lock_guard lock(mutex_);
  calls_.emplace_back("Status");
  return status_;
}

Result<void> FakeNetwork::Uninstall() {
  const std::lock_guard lock(mutex_);
  TRY_VOID(Enter("Uninstall", ""));
  if (!live_.empty()) return Error(Code::kConflict, "sandbox " + live_.begin()->first + " lives");
  return {};
}

void FakeNetwork::FailNext(const std::string& call, Error error) {
  const std::lock_guard lock(mutex_);
  faults_.insert_or_assign(call, std::move(error));
}

std::vector<std::string> FakeNetwork::Calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::vector<std::string> FakeNetwork::LiveIds() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  ids.reserve(live_.size());
  for (const auto& entry : live_) ids.push_back(entry.first);
  return ids;
}

void FakeNetwork::SetStatus(NetworkStatus status) {
  const std::lock_guard lock(mutex_);
  status_ = std::move(status);
}

}  // namespace podium::network
