// Stands between the agent and a shim, and sees and changes what they say.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "base/unique_fd.h"

namespace podium::runtime {

class ShimProxy {
 public:
  enum class From { kAgent, kShim };
  // Called on the proxy's thread with each packet before it is passed on.
  using Change = std::function<void(From from, std::string* packet)>;

  // Takes the place of the socket in a sandbox's folder; for one connection.
  ShimProxy(const std::string& folder, Change change);
  ~ShimProxy();
  ShimProxy(const ShimProxy&) = delete;
  ShimProxy& operator=(const ShimProxy&) = delete;

 private:
  void Run();
  bool Pass(int from, int to, From who);

  const Change change_;
  const UniqueFd stop_;
  UniqueFd listener_;
  UniqueFd shim_;
  std::thread thread_;
};

}  // namespace podium::runtime
