// Health: /livez, /readyz and /healthz, with ?verbose, ?exclude=NAME and a path for each check
// (upstream's k8s.io/apiserver/pkg/server/healthz, release 1.36). Why a check failed is told at its
// own path only: the others are open to everybody.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/call.h"
#include "base/result.h"

namespace podium::apiserver {

class Health {
 public:
  struct Check {
    std::string name;  // "etcd"
    // Must not wait.
    std::function<Result<void>()> run;
    bool live = true;  // else of /readyz and /healthz alone
  };

  // With "ping", which never fails. Checks run in this order.
  explicit Health(std::vector<Check> checks);

  // Nothing when the path is none of these.
  std::optional<Answer> Serve(const Call& call) const;
  // "/livez", "/livez/ping", …
  std::vector<std::string> Paths() const;

 private:
  Answer RunAll(const Call& call, std::string_view endpoint) const;
  static bool IsPartOf(const Check& check, std::string_view endpoint);

  std::vector<Check> checks_;
};

}  // namespace podium::apiserver
