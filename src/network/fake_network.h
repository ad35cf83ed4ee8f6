// A Network of memory, for tests of what stands on it: it deals out addresses and refuses taken
// ports as the real ones do, but touches no kernel object save that PrepareNamespace gives a
// descriptor (of /dev/null). Faults are injected by name of the call.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "network/network.h"

namespace podium::network {

class FakeNetwork final : public Network {
 public:
  Result<UniqueFd> PrepareNamespace(const std::string& sandbox_id) override;
  Result<PodNetwork> Setup(const PodNetworkRequest& request) override;
  Result<void> Teardown(const std::string& sandbox_id) override;
  Result<void> Check(const std::string& sandbox_id) override;
  Result<PodCounters> Counters(const std::string& sandbox_id) override;
  Result<void> Recover(std::span<const LiveSandbox> live) override;
  NetworkStatus Status() override;
  Result<void> Uninstall() override;

  // The next call of that name ("Setup") fails with this error.
  void FailNext(const std::string& call, Error error);
  // "Setup a", "Teardown a", … in the order of the calls.
  std::vector<std::string> Calls() const;
  std::vector<std::string> LiveIds() const;
  void SetStatus(NetworkStatus status);

 private:
  Result<void> Enter(const std::string& call, const std::string& sandbox_id);

  mutable std::mutex mutex_;
  std::map<std::string, LiveSandbox> live_;
  std::map<std::string, Error> faults_;
  std::vector<std::string> calls_;
  NetworkStatus status_{.ready = true, .reason = {}, .message = {}, .warnings = {}};
  uint32_t next_ = 2;
};

}  // namespace podium::network
