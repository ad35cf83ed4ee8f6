#include "apiserver/health.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

constexpr std::string_view kEndpoints[] = {"healthz", "livez", "readyz"};

Answer Text(int status, std::string body) {
  Answer answer{.status = status, .body = std::move(body)};
  answer.headers.Add("Content-Type", "text/plain; charset=utf-8");
  answer.headers.Add("X-Content-Type-Options", "nosniff");
  return answer;
}

}  // namespace

Health::Health(std::vector<Check> checks) : checks_(std::move(checks)) {
  checks_.insert(checks_.begin(), {.name = "ping", .run = [] { return Result<void>(); }});
}

bool Health::IsPartOf(const Check& check, std::string_view endpoint) {
  return check.live || endpoint != "livez";
}

std::vector<std::string> Health::Paths() const {
  std::vector<std::string> paths;
  for (const std::string_view endpoint : kEndpoints) {
    paths.push_back("/" + std::string(endpoint));
    for (const Check& check : checks_) {
      if (IsPartOf(check, endpoint))
        paths.push_back("/" + std::string(endpoint) + "/" + check.name);
    }
  }
  return paths;
}

std::optional<Answer> Health::Serve(const Call& call) const {
  if (!call.path.starts_with('/')) return std::nullopt;
  const std::string_view path = call.path.substr(1);
  const size_t slash = path.find('/');
  const std::string_view endpoint = path.substr(0, slash);
  if (std::ranges::find(kEndpoints, endpoint) == std::end(kEndpoints)) return std::nullopt;
  if (slash == std::string_view::npos) return RunAll(call, endpoint);
  for (const Check& check : checks_) {
    if (check.name != path.substr(slash + 1) || !IsPartOf(check, endpoint)) continue;
    const Result<void> run = check.run();
    if (run.ok()) return Text(200, "ok");
    return Text(500, "internal server error: " + run.error().message() + "\n");
  }
  return std::nullopt;
}

Answer Health::RunAll(const Call& call, std::string_view endpoint) const {
  std::vector<std::string_view> excluded;
  bool verbose = false;
  for (const auto& [name, value] : call.query) {
    if (name == "exclude" && std::ranges::find(excluded, value) == excluded.end()) {
      excluded.push_back(value);
    }
    verbose |= name == "verbose";
  }
  std::string out;
  bool failed = false;
  for (const Check& check : checks_) {
    if (!IsPartOf(check, endpoint)) continue;
    if (std::erase(excluded, check.name) > 0) {
      out += "[+]" + check.name + " excluded: ok\n";
    } else if (check.run().ok()) {
      out += "[+]" + check.name + " ok\n";
    } else {
      out += "[-]" + check.name + " failed: reason withheld\n";
      failed = true;
    }
  }
  if (!excluded.empty()) {
    std::ranges::sort(excluded);
    out += "warn: some health checks cannot be excluded: no matches for " +
           Join(excluded, ",", reflect::GoQuoted) + "\n";
  }
  const std::string name(endpoint);
  if (failed) return Text(500, out + name + " check failed\n");
  return Text(200, verbose ? out + name + " check passed\n" : "ok");
}

}  // namespace podium::apiserver
