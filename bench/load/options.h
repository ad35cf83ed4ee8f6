// What the load generator was asked for, and the objects that it makes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "load/client.h"

namespace podium::load {

struct Options {
  Target target;
  std::vector<int> pids;
  double seconds = 5;
  std::vector<size_t> clients{1, 10, 50};
  std::vector<size_t> pods{1000, 10000};
  std::vector<size_t> watchers{1, 100, 1000};
  size_t events = 200;
  std::vector<size_t> objects{10000, 100000};
  std::string kind = "configmaps";  // of these
  std::vector<std::string> what;
  std::string space;  // the namespace
};

inline std::string ConfigMap(const std::string& name) {
  std::string head = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name +
                     R"("},"data":{"value":")";
  constexpr size_t kSize = 1024;
  return head + std::string(kSize - std::min(kSize, head.size() + 3), 'x') + R"("}})";
}

inline std::string Pod(const std::string& name) {
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name +
         R"(","labels":{"app":"load","tier":"backend","pod-template-hash":"5d4f8c7b9"}},)"
         R"("spec":{"automountServiceAccountToken":false,"containers":[{"name":"main",)"
         R"("image":"registry.k8s.io/pause:3.9","env":[{"name":"A","value":"one"},)"
         R"({"name":"B","value":"two"}],"ports":[{"containerPort":8080}],"resources":)"
         R"({"requests":{"cpu":"10m","memory":"16Mi"},"limits":{"memory":"64Mi"}}}]}})";
}

inline std::string InSpace(const Options& options, const std::string& rest) {
  return "/api/v1/namespaces/" + options.space + "/" + rest;
}

}  // namespace podium::load
